-- What the authority has seen of people and programs that sign in: not part of a tenant's log. Numbers are never used again.
CREATE TABLE sign_in (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant BLOB    NOT NULL,          -- 16 bytes
  at     INTEGER NOT NULL,          -- milliseconds since 1970
  id     BLOB    NOT NULL,          -- 16 bytes
  data   BLOB    NOT NULL,
  sum    INTEGER NOT NULL           -- CRC-32C of the row
);
CREATE INDEX sign_in_at ON sign_in (tenant, at, number);
CREATE UNIQUE INDEX sign_in_id ON sign_in (tenant, id);

-- When each user was last seen: milliseconds since 1970, 0 for never, and the id of that sign-in.
CREATE TABLE activity (
  tenant             BLOB    NOT NULL,   -- 16 bytes
  user               INTEGER NOT NULL,   -- ordinal
  interactive        INTEGER NOT NULL,
  interactive_id     BLOB    NOT NULL,
  non_interactive    INTEGER NOT NULL,
  non_interactive_id BLOB    NOT NULL,
  successful         INTEGER NOT NULL,
  successful_id      BLOB    NOT NULL,
  PRIMARY KEY (tenant, user)
) WITHOUT ROWID;
