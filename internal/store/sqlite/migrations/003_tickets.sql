-- What the authority has given out for a short time: codes, refresh tokens, sessions. Rows are known by the hash of a secret, so
-- they lie in no order; they are removed when they have expired, or with their family.
CREATE TABLE ticket (
  id      BLOB    PRIMARY KEY NOT NULL,   -- 32 bytes
  tenant  BLOB    NOT NULL,               -- 16 bytes
  family  BLOB    NOT NULL,               -- 16 bytes
  expires INTEGER NOT NULL,               -- seconds since 1970
  version INTEGER NOT NULL,               -- how often it was changed
  data    BLOB    NOT NULL,
  sum     INTEGER NOT NULL                -- CRC-32C of the row
);
CREATE INDEX ticket_family ON ticket (family);
CREATE INDEX ticket_expires ON ticket (expires);
