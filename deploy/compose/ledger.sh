# Run by PostgreSQL's image when it makes its data: a user and a database of the ledger's own.
psql --username "$POSTGRES_USER" --set password="$(cat /run/secrets/ledger_password)" <<'SQL'
CREATE USER errand PASSWORD :'password';
CREATE DATABASE errand OWNER errand;
SQL
