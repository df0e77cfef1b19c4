#!/bin/sh
# Makes keys (NAME.key), certificates (NAME.crt) and other forms of them in the current directory, with the openssl
# program of this machine.
set -e

rsa() { openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:$2" -out "$1.key"; }
curve() { openssl genpkey -quiet -algorithm EC -pkeyopt "ec_paramgen_curve:$2" -out "$1.key"; }
# NAME [openssl req's arguments]: a certificate of its own, for NAME.example.
own() {
    name=$1
    shift
    openssl req -x509 -config req.cnf -key "$name.key" -subj "/CN=$name.example" -days 3650 -out "$name.crt" "$@"
}
# NAME ISSUER [openssl x509's arguments]: a certificate for NAME.key, signed by the issuer.
signed() {
    name=$1 issuer=$2
    shift 2
    openssl req -new -config req.cnf -key "$name.key" -subj "/CN=$name.example" -out "$name.csr"
    openssl x509 -req -in "$name.csr" -CA "$issuer.crt" -CAkey "$issuer.key" -set_serial 7 -days 3650 -out "$name.crt" \
        "$@" 2>/dev/null
}

printf '[req]\ndistinguished_name = dn\n[dn]\n' >req.cnf
printf 'basicConstraints = critical,CA:TRUE\nkeyUsage = keyCertSign,cRLSign\n' >ca.ext
printf 'subjectAltName = DNS:mail.example,DNS:*.mx.example,DNS:xn--bcher-kva.example,IP:192.0.2.1,IP:2001:db8::1\n' >san.ext
printf 'extendedKeyUsage = clientAuth\nkeyUsage = keyAgreement\n' >client.ext

for bits in 1024 2048 3072 4096; do rsa "rsa$bits" "$bits" && own "rsa$bits"; done
rsa other-rsa 2048 && own other-rsa
openssl genpkey -quiet -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.key
own pss
curve p256 P-256 && own p256
curve other-p256 P-256 && own other-p256
curve p224 P-224 && own p224
curve p384 P-384 && own p384
curve p521 P-521 && own p521
curve k256 secp256k1 && own k256
curve brainpool brainpoolP256r1 && own brainpool
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -out explicit.key
own explicit
for kind in ed25519 ed448; do openssl genpkey -algorithm "$kind" -out "$kind.key" && own "$kind"; done
openssl dsaparam -genkey -out dsa.key 1024 2>/dev/null && own dsa
openssl genpkey -algorithm X25519 -out x25519.key

# An authority, one below it, and certificates of both.
curve root P-256 && own root -addext basicConstraints=critical,CA:TRUE
curve middle P-256 && signed middle root -extfile ca.ext
curve leaf P-256 && signed leaf middle -extfile san.ext
rsa leaf-rsa 2048 && signed leaf-rsa middle -extfile san.ext
curve client P-256 && signed client middle -extfile client.ext
curve version1 P-256 && signed version1 middle
rsa old-root 1024 && own old-root -sha1 -addext basicConstraints=critical,CA:TRUE
curve sha1 P-256 && signed sha1 old-root -sha1 -extfile san.ext
curve md5 P-256 && signed md5 old-root -md5 -extfile san.ext
curve sha1-pss P-256
signed sha1-pss other-rsa -sha1 -sigopt rsa_padding_mode:pss -extfile san.ext
curve sha256-pss P-256
signed sha256-pss other-rsa -sha256 -sigopt rsa_padding_mode:pss -extfile san.ext
curve expired P-256 && signed expired middle -extfile san.ext -days -1
cp leaf.key early.key
mkdir ca && touch ca/index && echo 09 >ca/serial
cat >ca.cnf <<'CNF'
[ca]
default_ca = all
[all]
database = ca/index
serial = ca/serial
new_certs_dir = ca
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
CNF
openssl ca -batch -notext -config ca.cnf -in leaf.csr -cert middle.crt -keyfile middle.key -out early.crt \
    -startdate 20900101000000Z -enddate 21900101000000Z 2>/dev/null
openssl ca -gencrl -config ca.cnf -cert middle.crt -keyfile middle.key -crldays 3650 -out middle.crl 2>/dev/null
# The same name and another key: it did not sign anything.
cp other-p256.key false-middle.key
openssl req -x509 -config req.cnf -key false-middle.key -subj /CN=middle.example -days 3650 -out false-middle.crt
openssl pkey -in x25519.key -pubout -out x25519.pub
openssl x509 -req -in leaf.csr -CA middle.crt -CAkey middle.key -set_serial 8 -days 3650 -force_pubkey x25519.pub \
    -out x25519.crt 2>/dev/null

# The same keys in other forms.
openssl rsa -in rsa2048.key -traditional -out rsa2048.traditional 2>/dev/null
openssl ec -in p256.key -out p256.traditional 2>/dev/null
openssl ec -in p256.key -no_public -out p256.no-point 2>/dev/null
openssl ec -in p256.key -param_enc explicit -out p256.explicit 2>/dev/null
openssl ec -in p256.key -conv_form compressed -out p256.compressed 2>/dev/null
openssl rsa -in rsa2048.key -aes128 -passout pass:secret -traditional -out rsa2048.encrypted-traditional 2>/dev/null
openssl ec -in p256.key -aes128 -passout pass:secret -out p256.encrypted-traditional 2>/dev/null
openssl pkcs8 -topk8 -in p256.key -passout pass:secret -out p256.encrypted
openssl pkcs8 -topk8 -in rsa2048.key -passout pass: -out rsa2048.encrypted-with-nothing
openssl pkey -in p256.key -pubout -out p256.pub
openssl ecparam -name prime256v1 -out p256.parameters

# Other forms of files.
openssl x509 -in p256.crt -outform DER -out p256.crt.der
openssl pkey -in p256.key -outform DER -out p256.key.der
openssl pkcs12 -export -in p256.crt -inkey p256.key -passout pass: -out p256.p12
openssl crl2pkcs7 -nocrl -certfile p256.crt -out p256.p7b
openssl crl2pkcs7 -nocrl -certfile p256.crt -outform DER -out p256.p7b.der
openssl x509 -in p256.crt -trustout -addtrust serverAuth -out p256.trusted
openssl x509 -in p256.crt -text -out p256.text
openssl x509 -in p256.crt -outform DER | { cat; printf 'excess'; } >p256.excess.der
