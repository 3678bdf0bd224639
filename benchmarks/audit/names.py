"""What the processes of this benchmark agree on."""

EVENTS = 5_000_000
AUDITOR = "audit-manager"
WRITERS = 16
# What somebody looks for: in each of very many events, in many, in a few that are years old, in none.
EVERYWHERE, FREQUENT, RARE, NOWHERE = "northwind", "Platform Security", "Quillfeather", "Xyzzyplugh"
RARE_ACTOR = "Imogen Quillfeather"
WAYS = ("sealed", "unsealed", "peer")  # of writing
ROUNDS = 3  # of what is looked for
WRITING, SECONDS = 7, 5  # rounds of writers, and how long each writes: short turns suffer alike from others
