-- 100,000 accounts in 2,000 units of two organizations, and what happened to them in a year.
-- Run by scene.py on an empty PostgreSQL whose people and organizations are there already. Everything follows
-- from the row numbers, so that two runs measure the same.

-- Units: below each root tops, below each of these ten, below each of those four.
CREATE TEMP TABLE shape AS
SELECT o.id AS owner, o.aws_id, 'r-' || right(o.aws_id, 4) AS root,
       CASE WHEN o.aws_id = 'o-large00001' THEN 24 ELSE 15 END AS tops
FROM orgs_organization o;

INSERT INTO orgs_organizationalunit (aws_id, name, path, organization_id, missed_scans)
SELECT root, 'Root', root || '/', owner, 0 FROM shape;

INSERT INTO orgs_organizationalunit (aws_id, name, path, organization_id, parent_id, missed_scans)
SELECT format('ou-%s-a%s', right(root, 4), lpad(n::text, 7, '0')), 'Division ' || n,
       format('%s/ou-%s-a%s/', root, right(root, 4), lpad(n::text, 7, '0')), owner, u.id, 0
FROM shape CROSS JOIN generate_series(1, 24) n JOIN orgs_organizationalunit u ON u.aws_id = root
WHERE n <= tops;

INSERT INTO orgs_organizationalunit (aws_id, name, path, organization_id, parent_id, missed_scans)
SELECT format('ou-%s-b%s', right(root, 4), lpad((u.id * 10 + n)::text, 7, '0')), 'Area ' || u.id || '.' || n,
       format('%sou-%s-b%s/', u.path, right(root, 4), lpad((u.id * 10 + n)::text, 7, '0')), owner, u.id, 0
FROM shape CROSS JOIN generate_series(1, 10) n
JOIN orgs_organizationalunit u ON u.organization_id = owner AND u.aws_id LIKE 'ou-%-a%';

INSERT INTO orgs_organizationalunit (aws_id, name, path, organization_id, parent_id, missed_scans)
SELECT format('ou-%s-c%s', right(root, 4), lpad((u.id * 4 + n)::text, 7, '0')), 'Team ' || u.id || '.' || n,
       format('%sou-%s-c%s/', u.path, right(root, 4), lpad((u.id * 4 + n)::text, 7, '0')), owner, u.id, 0
FROM shape CROSS JOIN generate_series(1, 4) n
JOIN orgs_organizationalunit u ON u.organization_id = owner AND u.aws_id LIKE 'ou-%-b%';

-- Accounts: every hundredth is standalone, every fiftieth of the others left.
CREATE TEMP TABLE place AS
SELECT id, organization_id, row_number() OVER (ORDER BY id) - 1 AS row FROM orgs_organizationalunit;
CREATE INDEX ON place (row);

INSERT INTO orgs_account (aws_id, partition, name, email, state, organization_id, unit_id, profile, role_arn,
                          external_id, joined_at, missed_scans, left_at, contacts_read_at)
SELECT (200000000000 + 7 * n)::text, 'aws',
       (ARRAY['payments', 'treasury', 'retail', 'fraud', 'data', 'lending', 'kyc', 'mobile'])[1 + n % 8] || '-'
       || (ARRAY['ledger', 'api', 'core', 'lake', 'gateway', 'archive', 'portal'])[1 + n / 8 % 7] || '-'
       || (ARRAY['prod', 'staging', 'dev'])[1 + n / 56 % 3] || '-' || lpad(n::text, 5, '0'),
       'aws+' || n || '@northwind.example',
       CASE WHEN n % 40 = 7 THEN 'SUSPENDED' WHEN n % 400 = 9 THEN 'PENDING_CLOSURE' ELSE 'ACTIVE' END,
       CASE WHEN n % 100 <> 99 THEN p.organization_id END, CASE WHEN n % 100 <> 99 THEN p.id END, '', '', '',
       now() - interval '2 years', 0,
       CASE WHEN n % 50 = 3 THEN now() - interval '30 days' END,
       CASE WHEN n % 500 <> 11 THEN now() - n % 4000 * interval '1 second' END
FROM generate_series(0, 99999) n
JOIN place p ON p.row = (n * 7919::bigint) % (SELECT count(*) FROM place);

-- The mirror: one of twelve is not set, one of fifty unknown, and a few hold placeholders.
INSERT INTO contacts_alternatecontact (account_id, contact_type, status, name, title, email, phone, problem,
                                       first_seen_at, observed_at, tried_at, version)
SELECT a.id, t.kind, s.status,
       CASE WHEN s.status <> 'set' THEN '' WHEN k % 400 = 5 THEN 'n/a' ELSE t.label || ' Desk ' || k % 3000 END,
       CASE WHEN s.status <> 'set' THEN '' ELSE 'Duty officer' END,
       CASE WHEN s.status <> 'set' THEN '' WHEN k % 300 = 7 THEN 'owner.' || k || '@gmail.com'
            ELSE 'desk-' || k % 3000 || '@northwind.example' END,
       CASE WHEN s.status <> 'set' THEN '' ELSE '+44 20 7946 ' || lpad((k % 3000)::text, 4, '0') END,
       CASE WHEN s.status <> 'unknown' THEN '' WHEN a.contacts_read_at IS NULL THEN 'not_read_yet'
            ELSE (ARRAY['scp_denies', 'state', 'unavailable'])[1 + k % 3] END,
       a.contacts_read_at, a.contacts_read_at, a.contacts_read_at, 1
FROM orgs_account a
CROSS JOIN (VALUES ('BILLING', 'Billing', 0), ('OPERATIONS', 'Operations', 1), ('SECURITY', 'Security', 2))
           AS t (kind, label, m)
CROSS JOIN LATERAL (SELECT (a.id * 3 + t.m) * 2654435761 % 1000003 AS k) h
CROSS JOIN LATERAL (SELECT CASE WHEN a.contacts_read_at IS NULL OR k % 50 = 1 THEN 'unknown'
                                WHEN k % 12 = 0 THEN 'absent' ELSE 'set' END AS status) s
ORDER BY a.id, t.kind;

-- Change sets: the first is of 50,000 lines, each of the others of fifty.
CREATE TEMP TABLE person AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS row FROM portal_user;

INSERT INTO contacts_changeset (kind, title, status, file_name, requested_by_id, source, request_id, reason,
    ticket, planned_at, submitted_at, started_at, finished_at, is_cancelled, counts, effort, plan_hash,
    needs_approval, broke_glass, decision, decided_by_id, decided_at, decision_note, decided_hash)
SELECT CASE WHEN n % 3 = 0 THEN 'file' ELSE 'set' END, 'Rota ' || n,
       CASE WHEN n % 100 = 99 THEN 'waiting' WHEN n % 40 = 39 THEN 'discarded' ELSE 'finished' END,
       CASE WHEN n % 3 = 0 THEN 'rota-' || n || '.csv' ELSE '' END, asks.id, 'page', 'set-' || n,
       'The old mailbox of desk ' || n % 3000 || ' closes.', 'CHG-' || n, at, at,
       CASE WHEN n % 100 <> 99 AND n % 40 <> 39 THEN at END,
       CASE WHEN n % 100 <> 99 AND n % 40 <> 39 THEN at + interval '1 hour' END, false,
       jsonb_build_object('change', CASE WHEN n = 0 THEN 50000 ELSE 50 END), '{}', md5(n::text), '[]', false,
       CASE WHEN n % 100 <> 99 AND n % 40 <> 39 THEN 'approved' ELSE '' END,
       CASE WHEN n % 100 <> 99 AND n % 40 <> 39 THEN decides.id END,
       CASE WHEN n % 100 <> 99 AND n % 40 <> 39 THEN at END, '', ''
FROM generate_series(0, 2999) n
CROSS JOIN LATERAL (SELECT now() - (3000 - n) * interval '3 hours' AS at) t
JOIN person asks ON asks.row = n % (SELECT count(*) FROM person)
JOIN person decides ON decides.row = (n + 7) % (SELECT count(*) FROM person)
ORDER BY n;

-- Changes: 50,000 of the first set, fifty of each other, and 100,000 of their own; the newest are open.
CREATE TEMP TABLE target AS
SELECT c.id, c.contact_type, a.aws_id AS account_id, o.aws_id AS organization_id, coalesce(u.path, '') AS path,
       row_number() OVER (ORDER BY c.id) - 1 AS row
FROM contacts_alternatecontact c JOIN orgs_account a ON a.id = c.account_id
LEFT JOIN orgs_organization o ON o.id = a.organization_id
LEFT JOIN orgs_organizationalunit u ON u.id = a.unit_id;
CREATE UNIQUE INDEX ON target (row);
CREATE UNIQUE INDEX ON target (id);
ANALYZE target;
CREATE TEMP TABLE numbered_set AS
SELECT id, row_number() OVER (ORDER BY id) - 1 AS row, status FROM contacts_changeset;
CREATE UNIQUE INDEX ON numbered_set (row);

INSERT INTO contacts_contactchange (contact_id, change_set_id, caller_key, lane, status, wanted, before,
    seen_version, requested_by_id, requested_at, source, reason, ticket, request_id, attempts, claim, problem,
    finished_at, aws_request_id)
SELECT c.id, s.id, 'aws:100000000000', CASE WHEN s.id IS NULL THEN 0 ELSE 2 END, state.status,
       jsonb_build_object('name', 'Desk ' || n % 3000, 'title', 'Duty officer', 'email',
                          'desk-' || n % 3000 || '@northwind.example', 'phone', '+44 20 7946 0150'),
       '{"status": "absent"}', 1, p.id, at, 'page', 'The old mailbox of desk ' || n % 3000 || ' closes.',
       'CHG-' || n % 5000, 'click-' || n, 1, '', CASE WHEN state.status = 'failed' THEN 'scp_denies' ELSE '' END,
       CASE WHEN state.status NOT IN ('queued', 'unconfirmed') THEN at + interval '1 minute' END,
       md5(n::text)
FROM generate_series(0, 299999) n
CROSS JOIN LATERAL (SELECT now() - (300000 - n) * interval '100 seconds' AS at) t
CROSS JOIN LATERAL (SELECT CASE WHEN n < 50000 THEN 0 WHEN n < 200000 THEN (n - 50000) / 50 + 1 END AS place) w
LEFT JOIN numbered_set s ON s.row = w.place AND s.status = 'finished'
JOIN target c ON c.row = n * 104729::bigint % 300000
JOIN person p ON p.row = n % (SELECT count(*) FROM person)
CROSS JOIN LATERAL (SELECT CASE WHEN n >= 298000 THEN 'queued' WHEN n % 10000 = 17 THEN 'unconfirmed'
    WHEN n % 200 = 3 THEN 'failed' WHEN n % 500 = 5 THEN 'conflict' WHEN n % 100 = 7 THEN 'cancelled'
    WHEN n % 9 = 1 THEN 'unchanged' ELSE 'applied' END AS status) state
ORDER BY n;

INSERT INTO contacts_plannedchange (change_set_id, line, account_text, contact_type, account_id, contact_id,
    caller_key, verdict, is_left_out, problems, remarks, wanted, before, seen_version, change_id, outcome, cause)
SELECT w.change_set_id, row_number() OVER (PARTITION BY w.change_set_id ORDER BY w.id), t.account_id,
       t.contact_type, c.account_id, c.id, w.caller_key, 'change', false, '[]', '[]', w.wanted, w.before, 1,
       w.id, '', ''
FROM contacts_contactchange w
JOIN target t ON t.id = w.contact_id JOIN contacts_alternatecontact c ON c.id = t.id
WHERE w.change_set_id IS NOT NULL;

-- The audit, made last: how accounts joined, half of the changes with their answers, what moved outside.
INSERT INTO audit_auditevent (at, action, actor_label, os_user, source, request_id, aws_request_id,
    organization_id, unit_path, account_id, contact_type, after, reason, ticket, detail)
SELECT now() - interval '2 years', 'account.joined', '', '', 'worker', 'run-1', '', coalesce(t.organization_id, ''),
       t.path, t.account_id, '', jsonb_build_object('name', 'account ' || t.row, 'state', 'ACTIVE'), '', '', '{}'
FROM target t WHERE t.contact_type = 'BILLING';

INSERT INTO audit_auditevent (at, action, actor_id, actor_label, os_user, source, request_id, aws_request_id,
    organization_id, unit_path, account_id, contact_type, change_id, change_set_id, before, after, reason, ticket,
    detail)
SELECT w.requested_at, step.action, u.id, u.username, '', step.source, w.request_id, '',
       coalesce(t.organization_id, ''), t.path, t.account_id, t.contact_type, w.id, w.change_set_id, w.before,
       w.wanted || '{"status": "set"}', w.reason, w.ticket, '{}'
FROM contacts_contactchange w
JOIN portal_user u ON u.id = w.requested_by_id JOIN target t ON t.id = w.contact_id
CROSS JOIN (VALUES ('contact.change_requested', 'page'), ('contact.change_applied', 'worker'))
           AS step (action, source)
WHERE w.id % 2 = 0 AND (step.source = 'page' OR w.status = 'applied')
ORDER BY w.id;

INSERT INTO audit_auditevent (at, action, actor_id, actor_label, os_user, source, request_id, aws_request_id,
    organization_id, unit_path, account_id, contact_type, change_set_id, reason, ticket, detail)
SELECT s.submitted_at, 'change_set.submitted', u.id, u.username, '', 'page', s.request_id, '', '', '', '', '', s.id,
       s.reason, s.ticket, '{}'
FROM contacts_changeset s JOIN portal_user u ON u.id = s.requested_by_id ORDER BY s.id;

WITH event AS (
    INSERT INTO audit_auditevent (at, action, actor_label, os_user, source, request_id, aws_request_id,
        organization_id, unit_path, account_id, contact_type, before, after, reason, ticket, detail)
    SELECT now() - (20000 - d) * interval '25 minutes', 'contact.drift', '', '', 'worker', 'read-' || d, '',
           coalesce(t.organization_id, ''), t.path, t.account_id, t.contact_type, '{"status": "absent"}',
           jsonb_build_object('status', 'set', 'name', 'Desk ' || d, 'title', 'Duty officer',
                              'email', 'outside-' || d || '@northwind.example', 'phone', '+44 20 7946 0150'),
           '', '', jsonb_build_object('contact', t.id, 'number', d)
    FROM generate_series(0, 19999) d JOIN target t ON t.row = d * 7::bigint
    RETURNING id, at, before, after, detail)
INSERT INTO contacts_drift (contact_id, event_id, before, after, last_read_at, found_at, state, reason,
                            is_alarming, told_at)
SELECT (detail ->> 'contact')::bigint, id, before, after, at - interval '1 hour', at,
       CASE WHEN (detail ->> 'number')::int >= 19700 THEN 'open' ELSE 'ignored' END, '', false, NULL
FROM event ORDER BY id;
