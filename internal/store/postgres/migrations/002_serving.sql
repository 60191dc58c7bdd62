-- The process that serves the database, in one row at most. It ends by itself, by the clock of the database, unless it is renewed.
CREATE TABLE licensor.serving (
  number  integer PRIMARY KEY,                 -- always 1
  holder  uuid NOT NULL,                       -- made up by the process
  name    text COLLATE "C" NOT NULL,           -- for people: the machine and the process
  program text COLLATE "C" NOT NULL,           -- its version
  reads   integer NOT NULL,                    -- the newest format of commits that it reads
  since   timestamptz NOT NULL,
  ends    timestamptz NOT NULL
) WITH (fillfactor = 50);
