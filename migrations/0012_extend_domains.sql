-- domains_version: counts every change of an app's domains, so that a stale edit is noticed.
ALTER TABLE apps ADD COLUMN domains_version INTEGER NOT NULL DEFAULT 0;

-- position: the app's own order; the first domain is its address.
ALTER TABLE domains ADD COLUMN position INTEGER NOT NULL DEFAULT 0;
UPDATE domains SET position = id;
ALTER TABLE domains ADD COLUMN strip_prefix INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domains ADD COLUMN has_hsts INTEGER NOT NULL DEFAULT 0;
-- The health path is answered over plain http too.
ALTER TABLE domains ADD COLUMN has_plain_health INTEGER NOT NULL DEFAULT 0;
-- The app is spoken to in HTTP/2 without TLS, as gRPC needs it.
ALTER TABLE domains ADD COLUMN is_grpc INTEGER NOT NULL DEFAULT 0;
-- Networks in CIDR notation, separated by spaces; empty: everybody.
ALTER TABLE domains ADD COLUMN allow_ips TEXT NOT NULL DEFAULT '';
-- points_here: its DNS was seen to lead to this machine, so that a certificate may be asked for; is_forced: it may be
-- asked for whatever the DNS says.
ALTER TABLE domains ADD COLUMN points_here INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domains ADD COLUMN is_forced INTEGER NOT NULL DEFAULT 0;
-- An uploaded certificate: its chain as PEM, and its key sealed under secret.key, bound to the domain's id.
ALTER TABLE domains ADD COLUMN certificate TEXT;
ALTER TABLE domains ADD COLUMN sealed_key BLOB;
UPDATE domains SET tls = 'auto' WHERE tls = 'custom';

-- Who may open a domain that asks for a password. sealed: the password's hash under secret.key, bound to domain and name.
CREATE TABLE domain_users (
    domain_id INTEGER NOT NULL REFERENCES domains (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (domain_id, name)
) STRICT, WITHOUT ROWID;
