#!/bin/sh
# Makes the certificates of the examples again: sh make.sh (with openssl 3). Today is 2026-11-24 there.
set -eu
here=$(pwd)
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
mkdir certs
: > index.txt
cat > ca.cnf <<'CNF'
[ca]
default_ca = any
[any]
new_certs_dir = certs
database = index.txt
rand_serial = yes
unique_subject = no
default_md = default
policy = policy
email_in_dn = no
[policy]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
[leaf]
subjectAltName = ${ENV::NAMES}
[public]
subjectAltName = ${ENV::NAMES}
authorityInfoAccess = caIssuers;URI:http://ca.example/issuer
[client]
subjectAltName = ${ENV::NAMES}
extendedKeyUsage = clientAuth
[none]
CNF
NAMES=DNS:mail.example.org
export NAMES
always="20200101000000Z 21200101000000Z"

# make NAME KEY ISSUER EXTENSIONS SUBJECT FROM TO [OPTIONS]
make() {
	name=$1 key=$2 issuer=$3 extensions=$4 subject=$5 from=$6 to=$7
	shift 7
	openssl req -new -key "$key.key" -subj "/CN=$subject" -out request.pem
	if [ "$issuer" = self ]; then by="-selfsign -keyfile $key.key"; else by="-cert $issuer.pem -keyfile $issuer.key"; fi
	openssl ca -config ca.cnf -batch -notext $by -in request.pem -out "$name.pem" \
		-startdate "$from" -enddate "$to" -extensions "$extensions" "$@" 2>/dev/null
}
one() { # NAME
	 openssl genpkey -algorithm ED25519 -out "$1.key"
}
one root; one issuer; one key; one other
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out old.key
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out weak.key 2>/dev/null
make root root self authority "Example Root" $always
make issuer issuer root authority "Example Issuer" $always
make old old self authority "Old Authority" $always
make server key issuer public mail.example.org $always
make self key self leaf mail.example.org $always
make expired key issuer leaf mail.example.org 20200101000000Z 20210101000000Z
make soon key issuer leaf mail.example.org 20260901000000Z 20261201000000Z
make later key issuer leaf mail.example.org 20270101000000Z 21200101000000Z
make client key issuer client mail.example.org $always
make weak weak issuer leaf mail.example.org $always
make sha1 key old leaf mail.example.org $always -md sha1
NAMES=DNS:www.example.net
make www key issuer leaf www.example.net $always
openssl req -new -key key.key -subj /CN=mail.example.org -out request.pem
openssl x509 -req -in request.pem -CA issuer.pem -CAkey issuer.key -days 36500 -out v1.pem 2>/dev/null
openssl genpkey -algorithm X25519 -out exchange.key
openssl pkey -in exchange.key -pubout -out exchange.pub
openssl req -new -key key.key -subj /CN=mail.example.org -out request.pem
openssl x509 -req -in request.pem -CA issuer.pem -CAkey issuer.key -force_pubkey exchange.pub \
	-extfile ca.cnf -extensions leaf -days 36500 -out exchange.pem 2>/dev/null
NAMES=DNS:mail.example.org
for it in root issuer server self expired soon later client weak sha1 old www v1 exchange; do cp "$it.pem" "$here/"; done
cp key.key "$here/key.pem"
cp other.key "$here/other_key.pem"
cp exchange.key "$here/exchange_key.pem"
cp weak.key "$here/weak_key.pem"
openssl pkcs8 -topk8 -in key.key -passout pass:secret -out "$here/encrypted_key.pem"
