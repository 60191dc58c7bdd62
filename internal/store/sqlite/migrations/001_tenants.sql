-- A tenant's row says which commit is its last: it decides who may append the next one.
CREATE TABLE tenant (
  number INTEGER PRIMARY KEY,       -- stands for the id in the other tables
  id     BLOB    NOT NULL UNIQUE,   -- 16 bytes
  seq    INTEGER NOT NULL           -- of the last commit; 0 when there is none
);

-- The log. Rows are added and never changed. Effects vary from bytes to megabytes.
CREATE TABLE commits (
  tenant    INTEGER NOT NULL,
  seq       INTEGER NOT NULL,
  at        INTEGER NOT NULL,       -- milliseconds since 1970
  actor     TEXT    NOT NULL,
  operation TEXT    NOT NULL,
  effects   BLOB    NOT NULL,
  sum       INTEGER NOT NULL,       -- CRC-32C of the row
  PRIMARY KEY (tenant, seq)
) WITHOUT ROWID;

-- Users and groups as they are after the last commit. It has a rowid because most documents are larger than what a row of a
-- table without may hold before it spills into pages of its own.
-- The three names are those of the document with small letters, or NULL when it has none: filters on them are exact and
-- quick for any alphabet, which an index on lower(…) would only be for English.
CREATE TABLE object (
  tenant              INTEGER NOT NULL,
  kind                INTEGER NOT NULL,
  ordinal             INTEGER NOT NULL,
  id                  BLOB    NOT NULL,
  deleted             INTEGER,      -- seconds since 1970; NULL for the living
  user_principal_name TEXT,
  display_name        TEXT,
  mail                TEXT,
  document            TEXT    NOT NULL,
  sum                 INTEGER NOT NULL,   -- CRC-32C of the row
  PRIMARY KEY (tenant, kind, ordinal)
);

CREATE INDEX object_user_principal_name ON object (tenant, kind, user_principal_name, ordinal) WHERE user_principal_name IS NOT NULL;
CREATE INDEX object_display_name ON object (tenant, kind, display_name, ordinal) WHERE display_name IS NOT NULL;
CREATE INDEX object_mail ON object (tenant, kind, mail, ordinal) WHERE mail IS NOT NULL;
CREATE INDEX object_deleted ON object (tenant, kind, ordinal) WHERE deleted IS NOT NULL;

-- Pieces of snapshots.
CREATE TABLE snapshot (
  tenant INTEGER NOT NULL,
  name   TEXT    NOT NULL,
  data   BLOB    NOT NULL,
  sum    INTEGER NOT NULL,          -- CRC-32C of the row
  PRIMARY KEY (tenant, name)
);

-- What belongs to the installation, such as its signing keys.
CREATE TABLE secret (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

-- One row that is written to see whether the file can be.
CREATE TABLE probe (
  at INTEGER NOT NULL               -- milliseconds since 1970
);
INSERT INTO probe (at) VALUES (0);
