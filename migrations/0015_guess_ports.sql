-- Whether an app's port is Dhow's guess, which follows what the app is found to listen on. All that are here have chosen.
ALTER TABLE apps ADD COLUMN is_port_guessed INTEGER NOT NULL DEFAULT 0;
