-- What the log is up to a commit, in 16 bytes; NULL for commits written before there were chains.
ALTER TABLE commits ADD COLUMN chain BLOB;

-- Where the log ends, and how often those who were appending to it were shut out.
ALTER TABLE tenant ADD COLUMN chain BLOB;
ALTER TABLE tenant ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
