"""The demo company's names: units, products, teams and the people behind its contacts."""

from sandbox.records import Contact

MANAGEMENT_ID = "111111111111"
PAGE_ACCOUNT_ID = "123456789012"
STANDALONE = {"222222222222": "acquired-leasing", "012345678901": "press-office"}
STANDALONE_IDS = tuple(STANDALONE)
COMPANY = "Northwind Bank"
PORTAL_ROLE = "AlternateContactsPortal"
EXTERNAL_ID = "northwind-portal"
ORGANIZATION_ID = "o-nw7k2d9x4b"
ROOT_ID = "r-nw7k"

# Path of the unit below the root, share of the accounts, ending of their names
UNITS: tuple[tuple[str, int, str], ...] = (
    ("Workloads", 0, ""),
    ("Workloads/Prod", 16, "-prod"),
    ("Workloads/Prod/Core Banking", 10, "-prod"),
    ("Workloads/Prod/Digital", 8, "-prod"),
    ("Workloads/Staging", 28, "-staging"),
    ("Workloads/Dev", 18, "-dev"),
    ("Workloads/Dev/Experiments", 6, "-lab"),
    ("Payments", 4, "-prod"),
    ("Payments/Cards", 4, "-prod"),
    ("Payments/Instant", 4, "-staging"),
    ("Infrastructure", 4, ""),
    ("Infrastructure/Network", 6, ""),
    ("Infrastructure/Shared Services", 4, ""),
    ("Security", 9, ""),
    ("Sandbox", 18, ""),
    ("Suspended", 6, "-old"),
)

PRODUCTS = (
    "mobile-api statement-render treasury-sim retail-web fraud-scoring partner-gateway data-lake risk-models "
    "ci-runners mortgage-offers savings-core loan-origination branch-desk kyc-screening fx-pricing "
    "collections notifications document-vault customer-360 open-banking trade-finance wealth-portal "
    "pension-engine limits-check chargebacks deposits-core ledger-reporting credit-bureau cash-forecast "
    "identity-hub rates-feed advisor-desk onboarding agent-assist complaints campaign-engine"
).split()
PRODUCTS_BY_UNIT = {
    "Payments": "payments-ledger payments-switch payments-hub payments-archive".split(),
    "Payments/Cards": "cards-issuing cards-acquiring cards-tokens cards-disputes".split(),
    "Payments/Instant": "instant-rails instant-limits sepa-bridge swift-bridge".split(),
    "Infrastructure": "backup-vault build-cache golden-images config-store".split(),
    "Infrastructure/Network": "network-hub network-egress network-dns vpn-edge transit-eu transit-us".split(),
    "Infrastructure/Shared Services": "artifact-store shared-observability directory-sync mail-relay".split(),
    "Security": (
        "security-audit log-archive security-tooling incident-response key-custody vulnerability-scan "
        "forensics detection-lab access-review"
    ).split(),
    "Sandbox": (
        "sandbox-aino sandbox-bram sandbox-chidi sandbox-dewi sandbox-elif sandbox-farid sandbox-greta "
        "sandbox-hana sandbox-ivo sandbox-jun sandbox-kofi sandbox-lena sandbox-malik sandbox-noor "
        "sandbox-olga sandbox-priya sandbox-quinn sandbox-rosa"
    ).split(),
    "Suspended": "branch-kiosk cheque-scan fax-intake loyalty-points minitel-bridge coin-counter".split(),
}

# Units whose names end alike start at different products
FIRST_PRODUCT = {"Workloads/Prod/Core Banking": 16, "Workloads/Prod/Digital": 26}

# Accounts that the documentation and the pictures speak of
KNOWN_IDS = {
    "payments-ledger-prod": "442109153376",
    "ci-runners-dev": "210448193307",
    "data-lake-dev": "530127749921",
    "fraud-scoring-staging": "664801725534",
    "mobile-api-staging": "118935206740",
    "partner-gateway-dev": "907713402258",
    "retail-web-dev": "385570916642",
    "retail-web-staging": "042916637185",
    "statement-render-prod": "771204583396",
    "treasury-sim-dev": "293086154470",
}

FINANCE = Contact(
    "Finance Operations", "Cloud cost control", "cloud-billing@northwind.example", "+44 20 7946 0123"
)
ON_CALL = Contact(
    "Platform On-call", "Platform engineering", "platform-oncall@northwind.example", "+44 20 7946 0177"
)
SECURITY = Contact(
    "Cloud Security On-call", "Security operations", "security-oncall@northwind.example", "+44 20 7946 0155"
)
OLD_SOC = Contact("Security Desk", "SOC", "soc@northwind.example", "+44 20 7946 0150")
USUAL = {"BILLING": (FINANCE,), "OPERATIONS": (ON_CALL,), "SECURITY": (SECURITY, SECURITY, OLD_SOC)}
BY_PREFIX = {
    "data-lake": Contact(
        "Data Platform", "Platform lead", "data-platform@northwind.example", "+44 20 7946 0181"
    ),
    "retail-web": Contact(
        "Retail Platform", "Platform lead", "retail-platform@northwind.example", "+44 20 7946 0182"
    ),
    "payments": Contact(
        "Payments On-call", "Duty manager", "payments-oncall@northwind.example", "+44 20 7946 0190"
    ),
}
# What such lists hold in real life, besides team mailboxes
ODD = (
    Contact(" ", "Mx", "aws+placeholder@northwind.example", "00000000000"),
    Contact("Zoë Müller", "Leiterin Plattform", "zoe.mueller@northwind.example", "+49 30 901820"),
    Contact("田中", "運用責任者", "tanaka@northwind.example", "+81 3-5555-0142"),
    Contact("Robin Okafor", "Contractor", "robin.okafor.cloud@gmail.com", "+1(206)555-0163"),
    Contact("  Platform On-call ", " Duty desk", "platform-oncall@northwind.example", " +44 20 7946 0177 "),
    Contact("Łukasz Nowak", "Inżynier", "lukasz.nowak@hotmail.com", "+48 22 555 0119"),
    Contact("Siobhán O'Neill", "Release manager", "siobhan.oneill@northwind.example", "+353 1 555 0171"),
)
ONE_PERSON = Contact("Sam Whitfield", "Owner", "sam.whitfield@northwind.example", "+44 7700 900461")
# Chance that nobody filled the contact in
MISSING = {"BILLING": 0.05, "OPERATIONS": 0.11, "SECURITY": 0.18}
MISSING_IN_SANDBOX = {"BILLING": 0.22, "OPERATIONS": 0.50, "SECURITY": 0.61}
