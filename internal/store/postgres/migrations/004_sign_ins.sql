-- What the authority has seen of people and programs that sign in: not part of a tenant's log.
CREATE TABLE licensor.sign_in (
  tenant uuid   NOT NULL,
  number bigint GENERATED ALWAYS AS IDENTITY,  -- in the order of being added
  at     bigint NOT NULL,           -- milliseconds since 1970
  sum    bigint NOT NULL,           -- CRC-32C of the row
  id     uuid   NOT NULL,
  data   bytea  NOT NULL,
  PRIMARY KEY (tenant, number)
);
CREATE INDEX sign_in_at ON licensor.sign_in (tenant, at, number);
CREATE UNIQUE INDEX sign_in_id ON licensor.sign_in (tenant, id);

-- When each user was last seen: milliseconds since 1970, 0 for never, and the id of that sign-in.
CREATE TABLE licensor.activity (
  tenant          uuid   NOT NULL,
  ordinal         bigint NOT NULL,  -- of the user
  interactive     bigint NOT NULL,
  non_interactive bigint NOT NULL,
  successful      bigint NOT NULL,
  interactive_id     uuid NOT NULL,
  non_interactive_id uuid NOT NULL,
  successful_id      uuid NOT NULL,
  PRIMARY KEY (tenant, ordinal)
) WITH (fillfactor = 80);
