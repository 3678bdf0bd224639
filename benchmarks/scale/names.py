"""What the processes of this benchmark agree on."""

READER = "scale-reader"  # sees everything
LOCAL_READER = "scale-local-reader"  # sees one division
ADMIN = "scale-admin"  # of Django's admin
OWNER = "o-large00001"
SEARCHES = ("desk-77", "payments-ledger", "ledger", "0077", "nowhere at all")
LOOKS = 40  # at the list and the changelist, in turns
PAGE_LOOKS = 12  # at each other page

# Addresses of pages by what they are called in the table; {…} is filled by looks.py.
PAGES = {
    "overview": "/",
    "accounts": "/accounts/",
    "accounts, the last page": "/accounts/?page=100000",
    "accounts of a division": "/accounts/?unit={division}",
    "accounts with security missing": "/accounts/?type=SECURITY&contact=missing",
    "accounts of an e-mail domain": "/accounts/?domain=gmail.com",
    "accounts with placeholders": "/accounts/?placeholder=true",
    "one account": "/accounts/{account}/",
    "edit a contact": "/accounts/{account}/contacts/SECURITY/",
    "copy a contact": "/accounts/{account}/contacts/SECURITY/copy/",
    "set all that match": "/bulk/set/?select=all&unit={division}",
    "replace an address": "/bulk/replace/?select=all&find_email=desk-77@northwind.example",
    "changes": "/changes/",
    "changes, the last page": "/changes/?page=100000",
    "changes, problems first": "/changes/?sort=problems",
    "changes, searched": "/changes/?q=ledger",
    "change sets": "/change-sets/",
    "a change set of 50,000": "/change-sets/{change_set}/",
    "changes from outside": "/drifts/",
    "approvals": "/approvals/",
    "review": "/review/",
    "audit": "/audit/",
    "audit, searched": "/audit/?q=desk-77",
    "organizations": "/organizations/",
    "one organization": "/organizations/{owner}/",
    "people": "/people/",
}
LIVE = {  # what open pages ask for again and again
    "one account, live": "/accounts/{account}/cards/",
    "one organization, live": "/organizations/{owner}/live/",
}
