-- Each step between schemas, with the program that took it. Its rows say which schema this is.
CREATE TABLE licensor.migration (
  version integer PRIMARY KEY,
  program text    NOT NULL,
  at      timestamptz NOT NULL DEFAULT now()
);

-- A tenant's row says which commit is its last: it decides who may append the next one. It is written with every append, in its
-- page as long as there is room.
CREATE TABLE licensor.tenant (
  id       uuid   PRIMARY KEY,
  position bigint NOT NULL UNIQUE,  -- in the order of creation
  seq      bigint NOT NULL,         -- of the last commit; 0 when there is none
  epoch    bigint NOT NULL,         -- how often those who were appending were shut out
  chain    bytea  NOT NULL,         -- 16 bytes
  log_floor   bigint NOT NULL,      -- the first commit that is still there
  moved_floor bigint NOT NULL       -- the first commit of which orders can be had
) WITH (fillfactor = 50);

-- The log. Rows are added and never changed. Effects vary from bytes to megabytes.
CREATE TABLE licensor.commits (
  tenant    uuid    NOT NULL,
  seq       bigint  NOT NULL,
  at        bigint  NOT NULL,       -- milliseconds since 1970
  sum       bigint  NOT NULL,       -- CRC-32C of the row
  format    bigint  NOT NULL,       -- of the effects
  chain     bytea   NOT NULL,       -- 16 bytes; zero for commits written before there were chains
  actor     text    COLLATE "C" NOT NULL,
  operation text    COLLATE "C" NOT NULL,
  effects   bytea   NOT NULL,
  PRIMARY KEY (tenant, seq)
);

-- Directory objects as they are after the last commit. Four columns have the keys that rows are ordered by: "=" and the folded text
-- of the document's property, or nothing when it has none. They are bytes because texts of a database cannot hold U+0000; the
-- order of bytes is that of code points. A purged row is there until it is swept; it has no document, and NULL for keys.
CREATE TABLE licensor.object (
  tenant   uuid     NOT NULL,
  ordinal  bigint   NOT NULL,
  seq      bigint   NOT NULL,       -- the commit that wrote it
  deleted  bigint,                  -- seconds since 1970; NULL for the living
  sum      bigint   NOT NULL,       -- CRC-32C of the row
  id       uuid     NOT NULL,
  kind     smallint NOT NULL,
  purged   boolean  NOT NULL,
  user_principal_name bytea,
  display_name        bytea,
  mail                bytea,
  created             bytea,
  document            bytea    NOT NULL,
  PRIMARY KEY (tenant, kind, ordinal)
);

-- The indexes of keys are partial so that nothing but a list in their order can use them: a database that knows nothing of a new
-- table yet would else look up single rows in one of them, going through all of the tenant.
CREATE INDEX object_user_principal_name ON licensor.object (tenant, kind, user_principal_name, ordinal) WHERE user_principal_name IS NOT NULL;
CREATE INDEX object_display_name ON licensor.object (tenant, kind, display_name, ordinal) WHERE display_name IS NOT NULL;
CREATE INDEX object_mail ON licensor.object (tenant, kind, mail, ordinal) WHERE mail IS NOT NULL;
CREATE INDEX object_created ON licensor.object (tenant, kind, created, ordinal) WHERE created IS NOT NULL;
CREATE INDEX object_deleted ON licensor.object (tenant, kind, ordinal) WHERE deleted IS NOT NULL;
CREATE INDEX object_purged ON licensor.object (tenant, kind, ordinal) WHERE purged;

-- The keys of a row before a commit changed one of them: so a list that somebody is going through page by page keeps its order
-- while rows change. Rows are added and never changed.
CREATE TABLE licensor.moved (
  tenant  uuid     NOT NULL,
  ordinal bigint   NOT NULL,
  seq     bigint   NOT NULL,        -- of the commit
  kind    smallint NOT NULL,
  user_principal_name bytea NOT NULL,
  display_name        bytea NOT NULL,
  mail                bytea NOT NULL,
  created             bytea NOT NULL,
  PRIMARY KEY (tenant, kind, ordinal, seq)
);
CREATE INDEX moved_seq ON licensor.moved (tenant, seq);

-- What belongs to the installation, such as its signing keys.
CREATE TABLE licensor.secret (
  name  text  COLLATE "C" PRIMARY KEY,
  value bytea NOT NULL
);

-- What the authority has given out for a short time: codes, refresh tokens, sessions. Rows are known by the hash of a secret, so
-- they lie in no order; they are removed when they have expired, or with their family.
CREATE TABLE licensor.ticket (
  id      bytea  PRIMARY KEY,       -- 32 bytes
  tenant  uuid   NOT NULL,
  family  uuid   NOT NULL,
  expires bigint NOT NULL,          -- seconds since 1970
  version bigint NOT NULL,          -- how often it was changed
  sum     bigint NOT NULL,          -- CRC-32C of the row
  data    bytea  NOT NULL
);
CREATE INDEX ticket_family ON licensor.ticket (family);
CREATE INDEX ticket_expires ON licensor.ticket (expires);

-- One row that is written to see whether the database can be.
CREATE TABLE licensor.probe (
  number integer PRIMARY KEY,
  at     timestamptz NOT NULL
) WITH (fillfactor = 50);
INSERT INTO licensor.probe (number, at) VALUES (1, now());

-- Pieces of snapshots, named by what is in them. Large data is apart from its row, so used is changed without it.
CREATE TABLE licensor.part (
  tenant uuid   NOT NULL,
  name   text   COLLATE "C" NOT NULL,
  used   bigint NOT NULL,           -- when it was saved, or a manifest last ceased to name it, in milliseconds since 1970
  sum    bigint NOT NULL,           -- CRC-32C of the row
  data   bytea  NOT NULL,
  PRIMARY KEY (tenant, name)
);

-- Which parts a snapshot consists of.
CREATE TABLE licensor.manifest (
  tenant  uuid   NOT NULL,
  name    text   COLLATE "C" NOT NULL,
  version bigint NOT NULL,          -- how often it was replaced, from 1
  seq     bigint NOT NULL,          -- the commit; 0 when it is not known
  head    text   COLLATE "C" NOT NULL, -- the part that says what the others are
  parts   text[] COLLATE "C" NOT NULL, -- the others
  PRIMARY KEY (tenant, name)
);

-- Names that one tenant at most may have.
CREATE TABLE licensor.claim (
  name   text COLLATE "C" PRIMARY KEY,
  tenant uuid NOT NULL,
  at     bigint                     -- milliseconds since 1970; NULL once a commit has given the name to the tenant
);
CREATE INDEX claim_tenant ON licensor.claim (tenant);
