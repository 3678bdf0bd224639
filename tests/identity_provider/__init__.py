"""An OpenID Connect provider of its own process: django-oauth-toolkit, which no one here wrote."""
