#!/bin/sh
# Restores a backup of backup.sh into an empty database and an empty folder, for a # bare-drops
# bare-has: # Restores a backup of backup.sh into an empty database, for a
# server that does not run yet.
#
#   sh deploy/restore.sh FOLDER
#
# DATABASE_DIRECT_URL or DATABASE_URL, and FILES_URL, name where to. # bare-drops
# bare-has: # DATABASE_DIRECT_URL or DATABASE_URL names where to.
set -eu

[ $# -eq 1 ] || { echo 'say the folder with the backup: sh deploy/restore.sh FOLDER' >&2 && exit 2; }
folder=$1
database=${DATABASE_DIRECT_URL:-${DATABASE_URL:?is not set}}
: "${FILES_URL:?is not set}" # bare-drops
[ -f "$folder/database.dump" ] || { echo "$folder holds no whole backup: it has no database.dump" >&2 && exit 1; }

tables=$(psql --no-psqlrc --tuples-only --no-align --dbname="$database" \
	--command="SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
[ "$tables" -eq 0 ] || { echo "the database has $tables tables already: restore into an empty one" >&2 && exit 1; }

umask 077
# bare-drops {
if [ -f "$folder/files.tar" ]; then
	case $FILES_URL in
	file:///*%* | [!f]* | f[!i]*)
		echo "FILES_URL is no folder that this can write to: unpack $folder/files.tar by hand" >&2
		exit 1
		;;
	esac
	files=${FILES_URL#file://}
	mkdir -p "$files"
	[ -z "$(ls -A "$files")" ] || { echo "$files is not empty" >&2 && exit 1; }
	tar -C "$files" -xf "$folder/files.tar"
fi
# bare-drops }
# All or nothing.
pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$database" "$folder/database.dump"
echo 'Restored. Set the SECRET_KEY of before, and start the server.'
