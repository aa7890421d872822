-- 0042: clean up what the old login left behind
BEGIN;

CREATE INDEX IF NOT EXISTS sessions_expires_at ON sessions (expires_at);

UPDATE feature_flags SET enabled = false WHERE id = 'legacy_login';

-- one batch; the job runs until nothing is left
DELETE FROM sessions
WHERE id IN (SELECT id FROM sessions WHERE expires_at < now() ORDER BY id LIMIT 100);

INSERT INTO audit_log (event, detail) VALUES ('migration', 'sessions expired');

COMMIT;
