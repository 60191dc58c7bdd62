-- When a part of a snapshot was saved, or a manifest last ceased to name it: a table of its own, since a row with its data is
-- read and written as a whole.
CREATE TABLE part (
  tenant INTEGER NOT NULL,
  name   TEXT    NOT NULL,
  used   INTEGER NOT NULL,          -- milliseconds since 1970
  PRIMARY KEY (tenant, name)
) WITHOUT ROWID;
INSERT INTO part (tenant, name, used) SELECT tenant, name, 0 FROM snapshot;

-- Which parts a snapshot consists of. Until now there was one snapshot of a tenant, of all its parts.
CREATE TABLE manifest (
  tenant  INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  version INTEGER NOT NULL,         -- how often it was replaced, from 1
  seq     INTEGER NOT NULL,         -- the commit; 0 when it is not known
  head    TEXT    NOT NULL,         -- the part that says what the others are
  parts   TEXT    NOT NULL,         -- the names of the others, as JSON
  PRIMARY KEY (tenant, name)
) WITHOUT ROWID;
INSERT INTO manifest (tenant, name, version, seq, head, parts)
  SELECT tenant, 'newest', 1, 0, 'head', coalesce((SELECT json_group_array(p.name) FROM part AS p WHERE p.tenant = snapshot.tenant AND p.name <> 'head'), '[]')
  FROM snapshot WHERE name = 'head';

-- Names that one tenant at most may have.
CREATE TABLE claim (
  name   TEXT PRIMARY KEY,
  tenant BLOB NOT NULL,             -- 16 bytes
  at     INTEGER                    -- milliseconds since 1970; NULL once a commit has given the name to the tenant
) WITHOUT ROWID;
CREATE INDEX claim_tenant ON claim (tenant);

-- What is left of the log and of moved: the first commit that is there, and the first one of which orders can be had.
ALTER TABLE tenant ADD COLUMN log_floor INTEGER NOT NULL DEFAULT 1;
ALTER TABLE tenant ADD COLUMN moved_floor INTEGER NOT NULL DEFAULT 0;
