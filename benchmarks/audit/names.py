"""What the processes of this benchmark agree on."""

EVENTS = 5_000_000
AUDITOR = "audit-manager"
WRITERS = 16
# What somebody looks for: in each of very many events, in many, in a few that are years old, in none.
EVERYWHERE, FREQUENT, RARE, NOWHERE = "northwind", "Platform Security", "Quillfeather", "Xyzzyplugh"
RARE_ACTOR = "Imogen Quillfeather"
WAYS = ("sealed", "unsealed", "peer")  # of writing
ROUNDS, SECONDS = 3, 8  # rounds of what is measured in turns; seconds that writers write
