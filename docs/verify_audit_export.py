#!/usr/bin/env python3
"""Verifies an export of the audit, without the portal: python3 -I verify_audit_export.py audit.jsonl

It needs Python 3.9 or newer and nothing else. audit.md beside this file gives the format byte for byte.
Exit code 0: every event is what was sealed. 1: something was changed, is missing or does not fit, and is
named. 2: wrong usage, or the file is no export.
"""

import argparse
import hashlib
import json
import re
import sys

LINE = re.compile(
    rb'\{"seq":(\d+),"previous_hash":"([0-9a-f]{64})","hash":"([0-9a-f]{64})","event":(\{.*\})\}\n?'
)
UNSEALED = re.compile(rb'\{"seq":null,"previous_hash":null,"hash":null,"event":(\{.*\})\}\n?')
GENESIS = b"0" * 64
SHOWN = 20


class Chain:
    """Stretches of the chain as lines come in, in any order; lines side by side grow into one stretch."""

    def __init__(self):
        self.sealed = self.unsealed = self.anchored = 0
        self.faults = []
        self.by_first = {}  # first seal -> (last seal, hash before the first)
        self.by_last = {}  # last seal -> (first seal, hash of the last)

    def fault(self, text):
        self.faults.append(text)

    def add(self, seq, previous_hash, digest):
        """Join one seal to the stretches on both sides of it."""
        self.sealed += 1
        first, last, before, after = seq, seq, previous_hash, digest
        if seq == 1 and previous_hash != GENESIS:
            self.fault("Seal 1 does not begin the chain: what it follows is not 64 zeros.")
        if seq - 1 in self.by_last:
            first, left_hash = self.by_last.pop(seq - 1)
            before = self.by_first.pop(first)[1]
            if left_hash != previous_hash:
                self.fault(f"Seal {seq} does not follow seal {seq - 1}: one of the two is false.")
        if seq + 1 in self.by_first:
            last, right_before = self.by_first.pop(seq + 1)
            after = self.by_last.pop(last)[1]
            if right_before != digest:
                self.fault(f"Seal {seq + 1} does not follow seal {seq}: one of the two is false.")
        if first in self.by_first or last in self.by_last:
            self.fault(f"Seal {seq} stands there twice.")
        self.by_first[first], self.by_last[last] = (last, before), (first, after)

    def stretches(self):
        """From which seal to which the file holds every one."""
        found = sorted((first, last) for first, (last, _) in self.by_first.items())
        for (_, last), (first, _) in zip(found, found[1:]):
            if first <= last:
                self.fault(f"Seal {first} stands there twice.")
        return found


def read_line(chain, line, number, anchors):
    """Prove one event against its own seal, and against the anchor of that seal."""
    sealed = LINE.fullmatch(line)
    if sealed:
        seq, (previous_hash, digest, event) = int(sealed[1]), sealed.groups()[1:]
        if hashlib.sha256(previous_hash + event).hexdigest().encode() != digest:
            chain.fault(f"{name_of(event)} (seal {seq}, line {number}) is not what was sealed.")
        if seq in anchors:
            chain.anchored += 1
            if anchors.pop(seq) != {digest}:
                chain.fault(
                    f"Seal {seq} is not what an anchor knows: the chain up to there was written anew."
                )
        chain.add(seq, previous_hash, digest)
    elif UNSEALED.fullmatch(line):
        chain.unsealed += 1
    elif number == 1:
        raise ValueError("The file is no export of the audit in JSON Lines.")
    else:
        chain.fault(f"Line {number} is not as the portal writes it.")


def name_of(event):
    """The event's own id, which may be false as well."""
    try:
        return f"Event {json.loads(event)['id']}"
    except (ValueError, KeyError):
        return "An event"


def read_anchors(path):
    """The hashes that anchors know, by seal; lines of the portal's log may stand there as they are."""
    anchors = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    facts, _ = json.JSONDecoder().raw_decode(line, line.index("{"))
                    anchors.setdefault(int(facts["seq"]), set()).add(facts["hash"].encode())
                except (ValueError, KeyError, TypeError, AttributeError):
                    raise ValueError(f"Line {number} of {path} is no anchor.") from None
    return anchors


def check_whole(chain, stretches, anchors):
    """The file claims to be the whole chain: it begins at seal 1, has no gap, and reaches every anchor."""
    if not stretches or stretches[0][0] != 1:
        chain.fault("The file does not begin at seal 1.")
    for (_, last), (first, _) in zip(stretches, stretches[1:]):
        chain.fault(f"Seals {last + 1} to {first - 1} are missing.")
    end = stretches[-1][1] if stretches else 0
    beyond = [seq for seq in anchors if seq > end]
    if beyond:
        chain.fault(
            f"The file ends at seal {end}, and an anchor knows seal {min(beyond)}: "
            "the end was cut off, or the anchor is younger than the export."
        )


def report(chain, stretches, anchors, whole):
    """Print the verdict; returns the exit code."""
    for text in chain.faults[:SHOWN]:
        print(f"BAD: {text}")
    if len(chain.faults) > SHOWN:
        print(f"BAD: and {len(chain.faults) - SHOWN} more.")
    print(f"{chain.sealed} sealed events read, {chain.unsealed} without a seal: those are not proven.")
    print(f"{chain.anchored} anchors matched, {len(anchors)} speak of seals that are not in this file.")
    if len(stretches) == 1:
        print(f"The file holds every event from seal {stretches[0][0]} to seal {stretches[0][1]}.")
    elif stretches:
        print(f"The file holds {len(stretches)} stretches of the chain, as a filtered export does.")
    if not whole:
        print("That no other event is missing is proven only between the seals of one stretch.")
    print("NOT INTACT" if chain.faults else "INTACT: every sealed event is what was sealed.")
    return 1 if chain.faults else 0


def main():
    parser = argparse.ArgumentParser(description="Verify an export of the audit (JSON Lines).")
    parser.add_argument("export", help="the file; - reads what is piped in")
    parser.add_argument("--anchors", metavar="FILE", help="anchors that were kept outside the database")
    parser.add_argument("--whole", action="store_true", help="also demand that nothing at all is missing")
    options = parser.parse_args()
    chain = Chain()
    try:
        anchors = read_anchors(options.anchors) if options.anchors else {}
        with sys.stdin.buffer if options.export == "-" else open(options.export, "rb") as lines:
            for number, line in enumerate(lines, 1):
                read_line(chain, line, number, anchors)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if not chain.sealed and not chain.unsealed:
        print("The file holds no event.", file=sys.stderr)
        return 2
    stretches = chain.stretches()
    if options.whole:
        check_whole(chain, stretches, anchors)
    return report(chain, stretches, anchors, options.whole)


if __name__ == "__main__":
    sys.exit(main())
