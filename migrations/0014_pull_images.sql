-- What a ready image was when it was deployed: the name that was asked for, and the digest that it stood for at its
-- registry (none for an image that only the engine has).
ALTER TABLE deployments ADD COLUMN image_name TEXT;
ALTER TABLE deployments ADD COLUMN image_digest TEXT;
ALTER TABLE releases ADD COLUMN image_name TEXT;
ALTER TABLE releases ADD COLUMN image_digest TEXT;

-- What Dhow has brought onto the engine, as name@sha256:…, and has to take away again once nothing names it. An image
-- that was there before is not Dhow's to remove.
CREATE TABLE pulled_images (
    reference TEXT PRIMARY KEY,
    pulled_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
