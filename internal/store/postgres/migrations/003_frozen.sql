-- Why nothing is appended to the log of a tenant; NULL for tenants to which it is.
ALTER TABLE licensor.tenant ADD COLUMN frozen text COLLATE "C";
