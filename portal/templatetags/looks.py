"""How states look: one table of fill, icon and words for every state that a page can name."""

from typing import NamedTuple


class Look(NamedTuple):
    """The family of colour and fill in tokens.css, an icon of static/vendor/icons.svg, and the words."""

    family: str
    icon: str
    words: str


LOOKS = {
    "set": Look("set", "check-circle-fill", "Set"),
    "absent": Look("absent", "circle", "Not set"),
    "unknown": Look("unknown", "question-circle", "Unknown"),
    "waiting": Look("waiting", "person-check", "Waiting for approval"),
    "queued": Look("queued", "hourglass-split", "Queued"),
    "sending": Look("sending", "arrow-repeat", "Sending"),
    "unconfirmed": Look("unknown", "question-circle", "Unconfirmed"),
    "applied": Look("applied", "check2-all", "Applied"),
    "unchanged": Look("applied", "check-lg", "Nothing to change"),
    "failed": Look("failed", "x-octagon-fill", "Failed"),
    "conflict": Look("conflict", "intersect", "Conflict"),
    "cancelled": Look("queued", "slash-circle", "Cancelled"),
    "superseded": Look("queued", "dash-circle", "Superseded"),
    # change sets, beside the states of their changes
    "planning": Look("queued", "hourglass-split", "Being planned"),
    "planned": Look("queued", "pencil", "Planned"),
    "preparing": Look("sending", "arrow-repeat", "Starting"),
    "running": Look("sending", "arrow-repeat", "Running"),
    "paused": Look("waiting", "pause", "Paused"),
    "cancelling": Look("queued", "hourglass-split", "Being cancelled"),
    "finished": Look("applied", "check2-all", "Finished"),
    "discarded": Look("absent", "slash-circle", "Discarded"),
    "refused": Look("failed", "slash-circle", "Refused"),
    "expired": Look("absent", "hourglass-split", "Lapsed"),
    "skipped": Look("queued", "dash-circle", "Skipped"),
    # drift, and reviews of events
    "open": Look("conflict", "question-circle", "Open"),
    "adopted": Look("set", "check-circle-fill", "Adopted"),
    "reverted": Look("applied", "check2-all", "Reverted"),
    "ignored": Look("absent", "slash-circle", "Ignored"),
    "reviewed": Look("set", "check-circle-fill", "Reviewed"),
    "answered": Look("waiting", "person-check", "Answered"),
    "settled": Look("set", "check-circle-fill", "Settled"),
    # checks
    "ok": Look("set", "check-circle-fill", "In order"),
    "failing": Look("failed", "x-octagon-fill", "Failing"),
    "warning": Look("waiting", "exclamation-triangle-fill", "Look at this"),
    # accounts
    "active": Look("set", "check-circle-fill", "Active"),
    "pending_activation": Look("queued", "hourglass-split", "Pending activation"),
    "suspended": Look("waiting", "pause", "Suspended"),
    "pending_closure": Look("waiting", "hourglass-split", "Pending closure"),
    "closed": Look("absent", "slash-circle", "Closed"),
    "left": Look("absent", "slash-circle", "Left"),
    # people
    "inactive": Look("absent", "slash-circle", "Deactivated"),
}

# The audit's actions, by what follows the dot.
EVENT_LOOKS = {
    "change_requested": LOOKS["queued"],
    "change_applied": LOOKS["applied"],
    "change_unchanged": LOOKS["unchanged"],
    "change_unconfirmed": LOOKS["unconfirmed"],
    "change_read_back": LOOKS["applied"],
    "change_failed": LOOKS["failed"],
    "change_conflict": LOOKS["conflict"],
    "change_cancelled": LOOKS["cancelled"],
    "change_superseded": LOOKS["superseded"],
    "change_skipped": LOOKS["skipped"],
    "submitted": LOOKS["waiting"],
    "approved": Look("set", "person-check", ""),
    "refused": Look("failed", "slash-circle", ""),
    "expired": LOOKS["expired"],
    "glass_broken": Look("failed", "exclamation-triangle-fill", ""),
    "paused": LOOKS["paused"],
    "resumed": LOOKS["running"],
    "cancelled": LOOKS["cancelled"],
    "finished": LOOKS["finished"],
    "baseline": Look("queued", "eye", ""),
    "contacts_requested": Look("queued", "eye", ""),
    "organization_requested": Look("queued", "eye", ""),
    "discovery_requested": Look("queued", "eye", ""),
    "adopted": LOOKS["adopted"],
    "reverted": LOOKS["reverted"],
    "ignored": LOOKS["ignored"],
    "reviewed": LOOKS["reviewed"],
    "questioned": Look("waiting", "question-circle", ""),
    "answered": LOOKS["answered"],
    "settled": LOOKS["settled"],
    "signed_off": Look("set", "journal-check", ""),
    "drift": Look("conflict", "signpost-split", ""),
    "exported": Look("queued", "download", ""),
    "joined": Look("queued", "plus-circle", ""),
    "moved": Look("queued", "arrow-left-right", ""),
    "left": Look("queued", "dash-circle", ""),
    "trust_requested": LOOKS["queued"],
    "trust_enabled": LOOKS["applied"],
    "trust_failed": LOOKS["failed"],
    "sign_in_failed": Look("failed", "x-octagon-fill", ""),
    "signed_in": Look("queued", "box-arrow-in-right", ""),
    "signed_out": Look("queued", "box-arrow-right", ""),
    "roles_changed": Look("waiting", "person-gear", ""),
    "created": Look("queued", "person-plus", ""),
    "password_changed": Look("queued", "key", ""),
    "sign_in_changed": Look("waiting", "shield-lock", ""),
    "groups_renewed": Look("waiting", "person-gear", ""),
    "provider_linked": Look("waiting", "link-45deg", ""),
    "sessions_ended": Look("queued", "box-arrow-right", ""),
}
PLAIN_EVENT = Look("queued", "pencil", "")
CONTACT_TYPE_ICONS = {"BILLING": "receipt", "OPERATIONS": "tools", "SECURITY": "shield-lock"}


def look_of(state: object) -> Look:
    """The look of a state; a name that is not in the table is a mistake and raises KeyError."""
    return LOOKS[str(state).lower()]


def look_of_event(action: object) -> Look:
    """The look of an audit event by its action, for example “contact.change_applied”."""
    return EVENT_LOOKS.get(str(action).partition(".")[2], PLAIN_EVENT)
