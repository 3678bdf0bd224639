# `make run` needs only make and Python 3.11 or newer. Written for any POSIX make.

VENV = .venv
PYTHON = $(VENV)/bin/python
# Tests wait for quotas and browsers more than they compute.
SPREAD = --numprocesses 4 --dist worksteal

help:
	@echo "make run          the whole portal on this machine, with a sandbox in place of AWS (PORT=8000)"
	@echo "make test         all tests, on SQLite and on PostgreSQL, with a real browser"
	@echo "make torture      faults that last for minutes"
	@echo "make lint         make style, and make advisories"
	@echo "make style        style, security rules, types, settings for production, missing migrations"
	@echo "make advisories   known weaknesses of the packages we pin; needs the internet, and fails without it"
	@echo "make bench        measurements"
	@echo "make scan         a security scanner of others against the running portal, as each role; half an hour"
	@echo "make screenshots  the pictures in docs/pictures"
	@echo "make lock         requirements*.txt from requirements*.in; needs uv"

run: $(VENV)/runtime.stamp
	@exec $(PYTHON) manage.py up

test: $(VENV)/dev.stamp
	@$(PYTHON) -m tests.chromium
	$(PYTHON) -m pytest $(SPREAD)
	TEST_DATABASE=postgres $(PYTHON) -m pytest $(SPREAD)

# Faults for minutes in place of seconds, an outage of ten minutes among them: about an hour and a half.
torture: $(VENV)/dev.stamp
	TORTURE=10 TEST_DATABASE=postgres $(PYTHON) -m pytest tests/faults

lint: style advisories

style: $(VENV)/dev.stamp
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy portal audit orgs contacts sandbox
	$(PYTHON) manage.py makemigrations --check --dry-run
	PORTAL_ENV_FILE=/dev/null SECRET_KEY=$$($(PYTHON) -c "import secrets; print(secrets.token_urlsafe(50))") \
		ALLOWED_HOSTS=portal.example $(PYTHON) manage.py check --deploy --fail-level WARNING

# --strict: a package that could not be asked about is a failure, and so is a service that does not answer.
advisories: $(VENV)/dev.stamp
	$(PYTHON) -m pip_audit --strict --disable-pip --require-hashes --progress-spinner off \
		-r requirements.txt -r requirements-dev.txt -r requirements-saml.txt

bench: $(VENV)/dev.stamp
	$(PYTHON) -m benchmarks

scan: $(VENV)/scan.stamp
	$(PYTHON) -m tests.scan $(VENV)/scan/bin/wapiti

screenshots: $(VENV)/dev.stamp
	@$(PYTHON) -m tests.chromium
	$(PYTHON) -m tests.screenshots

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		requirements.in -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		requirements-dev.in -o requirements-dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		requirements-scan.in -o requirements-scan.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		requirements-saml.in -o requirements-saml.txt

# A stamp is a copy of the file that was installed: a newer date alone installs nothing.
$(VENV)/runtime.stamp: $(PYTHON) requirements.txt
	@$(INSTALL) requirements.txt $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements-dev.txt
	@$(INSTALL) requirements-dev.txt $@

$(VENV)/scan.stamp: $(VENV)/dev.stamp requirements-scan.txt
	@$(PYTHON) -m venv $(VENV)/scan
	@$(VENV)/scan/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-scan.txt && cp requirements-scan.txt $@

INSTALL = install() { \
		if cmp -s "$$1" "$$2"; then touch "$$2"; return; fi; \
		echo "Installing $$1 …"; \
		if uv --version >/dev/null 2>&1; then \
			UV_LINK_MODE=copy uv pip install --quiet --python $(PYTHON) --require-hashes -r "$$1"; \
		else \
			$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r "$$1"; \
		fi && cp "$$1" "$$2"; \
	}; install

$(PYTHON):
	@for name in python3.11 python3.12 python3.13 python3; do \
		if $$name -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then found=$$name; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "Python 3.11 or newer is needed, and none was found; python3 is $$(python3 --version 2>&1)." >&2; exit 1; \
	fi; \
	$$found -m venv $(VENV) || { \
		rm -rf $(VENV); \
		echo "$$found cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2; exit 1; \
	}

.PHONY: help run test torture lint style advisories bench screenshots lock scan
