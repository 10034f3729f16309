#!/bin/sh
# Backs up a deployment while it runs: the database first, and then the files, so that # bare-drops
# bare-has: # Backs up a deployment while it runs.
# these are at least those that the database knows. # bare-drops
#
#   sh deploy/backup.sh FOLDER
#
# Settings are those of the server: DATABASE_DIRECT_URL or DATABASE_URL, and FILES_URL. # bare-drops
# bare-has: # Settings are those of the server: DATABASE_DIRECT_URL or DATABASE_URL.
# A bucket is not copied: give it versions. SECRET_KEY is not in a backup and is as # bare-drops
# bare-has: # SECRET_KEY is not in a backup and is as
# needed as one: without it nobody can sign in.
set -eu

[ $# -eq 1 ] || { echo 'say the folder to write: sh deploy/backup.sh FOLDER' >&2 && exit 2; }
folder=$1
database=${DATABASE_DIRECT_URL:-${DATABASE_URL:?is not set}}
: "${FILES_URL:?is not set}" # bare-drops

umask 077
mkdir -p "$folder"
[ -z "$(ls -A "$folder")" ] || { echo "$folder is not empty" >&2 && exit 1; }

pg_dump --format=custom --no-owner --no-privileges --dbname="$database" --file="$folder/database.part"
# bare-drops {
case $FILES_URL in
file:///*%*)
	echo "FILES_URL has characters that are encoded: copy its folder by hand" >&2
	exit 1
	;;
file:///*)
	# 1 is a file that went while it was read, as those do that are deleted.
	tar -C "${FILES_URL#file://}" -cf "$folder/files.part" . || [ $? -eq 1 ]
	mv "$folder/files.part" "$folder/files.tar"
	;;
*) echo 'The files are in a bucket, and not in this backup.' ;;
esac
# bare-drops }
# Last, so that a backup which has this name is whole.
mv "$folder/database.part" "$folder/database.dump"
ls -l "$folder"
