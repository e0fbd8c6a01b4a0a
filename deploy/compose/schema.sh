# Make the databases of Temporal, and bring their tables up to the version of this image. Safe to run again.
SQL_PASSWORD="$(cat /run/secrets/postgres_password)"
export SQL_PASSWORD
for database in temporal visibility; do
  name=temporal
  [ "$database" = temporal ] || name=temporal_visibility
  tool() { temporal-sql-tool --plugin postgres12 --ep "$POSTGRES_SEEDS" -p 5432 -u "$POSTGRES_USER" --db "$name" "$@"; }
  tool create || true # it is there
  tool setup-schema -v 0.0 || true # it is set up
  tool update-schema -d "/etc/temporal/schema/postgresql/v12/$database/versioned"
done
