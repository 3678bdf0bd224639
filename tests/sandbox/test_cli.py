"""The AWS CLI runs the commands of AWS's page "Update the alternate contacts".

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-update-contact-alternate.html
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from sandbox.testing import PAGE_ACCOUNT_ID, Sandbox

AWS = Path(sys.executable).with_name("aws")


def aws(sandbox: Sandbox, *words: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {**inherited, **sandbox.env()}
    return subprocess.run(
        [AWS, "account", *words], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_get_billing(sandbox: Sandbox) -> None:
    done = aws(sandbox, "get-alternate-contact", "--alternate-contact-type=BILLING")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["AlternateContact"] == {
        "AlternateContactType": "BILLING",
        "EmailAddress": "cloud-billing@northwind.example",
        "Name": "Finance Operations",
        "PhoneNumber": "+44 20 7946 0123",
        "Title": "Cloud cost control",
    }


def test_put_operations_of_a_member(sandbox: Sandbox) -> None:
    done = aws(
        sandbox,
        "put-alternate-contact",
        "--alternate-contact-type=OPERATIONS",
        f"--account-id={PAGE_ACCOUNT_ID}",
        "--name=Mateo Jackson",
        "--title=CISO",
        "--email-address=mateo_jackson@example.com",
        "--phone-number=+1(206)555-1234",
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert sandbox.contact(PAGE_ACCOUNT_ID, "OPERATIONS") == {
        "name": "Mateo Jackson",
        "title": "CISO",
        "email": "mateo_jackson@example.com",
        "phone": "+1(206)555-1234",
    }


def test_delete_security_twice(sandbox: Sandbox) -> None:
    command = ("delete-alternate-contact", "--alternate-contact-type=SECURITY")
    assert aws(sandbox, *command).returncode == 0
    again = aws(sandbox, *command)
    assert again.returncode != 0
    assert "(ResourceNotFoundException)" in again.stderr
    assert "No contact of the inputted alternate contact type found." in again.stderr
