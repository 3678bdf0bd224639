"""Argon2 that a real portal understands, without the time it takes there."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The least that argon2 takes."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
