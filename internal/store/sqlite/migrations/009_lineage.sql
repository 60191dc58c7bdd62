-- Where the database is in its line of history (lineage.go). There is one row, which each write replaces by one of the same size, so
-- that the table is one page. The log always has that page, and so it shows whether it belongs to the file.
CREATE TABLE lineage (
  record BLOB NOT NULL
);
INSERT INTO lineage (rowid, record) SELECT 1, founding(writes) FROM probe;
ALTER TABLE probe DROP COLUMN writes;
