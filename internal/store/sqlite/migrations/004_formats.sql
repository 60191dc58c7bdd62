-- The format of a commit's effects, which says whether a program can read them.
ALTER TABLE commits ADD COLUMN format INTEGER NOT NULL DEFAULT 1;

-- The commit that wrote a row; 0 for rows written before they had it.
ALTER TABLE object ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
