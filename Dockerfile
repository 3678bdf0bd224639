# One image for every process of docker-compose.yml.
FROM python:3.11-slim-bookworm AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt .
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --require-hashes -r requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /app portal && install -d -m 700 -o portal /anchors
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STATIC_ROOT=/app/staticfiles PORTAL_VAR=/tmp/portal
WORKDIR /app
COPY manage.py ./
COPY portal portal
COPY audit audit
COPY orgs orgs
COPY contacts contacts
COPY templates templates
COPY static static
RUN SECRET_KEY=not-a-secret-only-for-collecting-files python manage.py collectstatic --noinput --verbosity 0
USER portal
EXPOSE 8000
CMD ["gunicorn", "portal.wsgi"]
