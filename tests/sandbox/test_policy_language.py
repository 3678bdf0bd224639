"""The sandbox's evaluation of policies gives the answers of another one, as they were recorded.

iam_answers.json: 502 questions about the policies that the portal generates and about odd ones, with the
answers of iam-simulate 0.1.173 (https://github.com/cloud-copilot/iam-simulate), recorded on 2026-11-29 by its
runUnsafeSimulation: the other one drops account:AccountResourceOrgPaths, which AWS ties to no action.
A question is policy, service control policy, account, principal, action, resource, condition keys, answer.
"""

import json
from collections import Counter
from pathlib import Path

from sandbox import policy_language
from sandbox.policy_language import EXPLICIT_DENY, Request

RECORDED = json.loads(Path(__file__).with_name("iam_answers.json").read_text())


def ours(policy: str, scp: str, account_id: str, who: str, action: str, resource: str, keys: dict) -> str:
    own = {
        "aws:PrincipalArn": [f"arn:aws:iam::{account_id}:{who}"],
        "aws:PrincipalAccount": [account_id],
    }
    request = Request(action, resource, own | keys)
    scps = [RECORDED["scps"][scp]] if scp else []
    if policy_language.decide(scps, request) == EXPLICIT_DENY:
        return EXPLICIT_DENY
    return policy_language.decide([RECORDED["policies"][policy]], request)


def test_every_answer_is_the_same():
    assert [row for row in RECORDED["answers"] if ours(*row[:-1]) != row[-1]] == []


def test_there_is_something_to_compare():
    counts = Counter(answer for *_, answer in RECORDED["answers"])
    assert len(RECORDED["answers"]) == 502
    assert min(counts.values()) > 20 and set(counts) == {"allowed", "implicitDeny", "explicitDeny"}


def test_every_recorded_policy_is_one_that_the_sandbox_takes():
    for policy in [*RECORDED["policies"].values(), *RECORDED["scps"].values()]:
        policy_language.parse(json.dumps(policy))
