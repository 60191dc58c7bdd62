-- Lists in the order of a property. Its column has the property's text with small letters, or NULL; its index has all rows, those
-- with NULL too, so that a page is read from it in order.
ALTER TABLE object ADD COLUMN created TEXT;
UPDATE object SET created = lower(json_extract(document, '$.createdDateTime')) WHERE json_type(document, '$.createdDateTime') = 'text';

DROP INDEX object_user_principal_name;
DROP INDEX object_display_name;
DROP INDEX object_mail;
CREATE INDEX object_user_principal_name ON object (tenant, kind, user_principal_name, ordinal);
CREATE INDEX object_display_name ON object (tenant, kind, display_name, ordinal);
CREATE INDEX object_mail ON object (tenant, kind, mail, ordinal);
CREATE INDEX object_created ON object (tenant, kind, created, ordinal);

-- What stood in the columns of a row before a commit changed one of them: so a list that somebody is going through page by page
-- keeps its order while rows change. Rows are added and never changed.
CREATE TABLE moved (
  number              INTEGER PRIMARY KEY,
  tenant              INTEGER NOT NULL,
  kind                INTEGER NOT NULL,
  ordinal             INTEGER NOT NULL,
  seq                 INTEGER NOT NULL,   -- of the commit
  user_principal_name TEXT,
  display_name        TEXT,
  mail                TEXT,
  created             TEXT
);
CREATE INDEX moved_object ON moved (tenant, kind, ordinal, seq);
CREATE INDEX moved_seq ON moved (tenant, kind, seq, ordinal);
