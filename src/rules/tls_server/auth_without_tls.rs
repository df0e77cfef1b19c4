//! Passwords in clear text.

use crate::config::{Port, Server};
use crate::finding::Severity;
use crate::lint::{Context, Findings, FixKind, Rule};
use crate::syntax::lists::{self, COMMA_SPACE_FLAT};

pub(super) static RULE: Rule = Rule {
    id: "auth-without-tls",
    severity: Severity::Warning,
    summary: "users can log in without TLS",
    doc: "
smtpd(8) offers AUTH before STARTTLS, or without it. A mail program that is set
to \"TLS if available\", as many are, sends its password in clear text as soon
as somebody on the way removes STARTTLS from the server's answer.

Set smtpd_tls_auth_only = yes: AUTH is then offered inside TLS only. Where TLS
is mandatory (smtpd_tls_security_level = encrypt, smtpd_tls_wrappermode = yes)
that is so anyway. smtpd_sasl_security_options = noplaintext leaves out the
mechanisms that send the password itself; the rest of the session, with the
mail, can be read all the same.

Servers that only this host reaches are not found, nor those behind a proxy that
may speak TLS for them. Port 587 has a rule of its own, submission-not-encrypted.
",
    postfix_says: "",
    fix: FixKind::Never,
    bad: "
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
smtpd_sasl_auth_enable = yes
#                        ^^^ AUTH is offered outside TLS
",
    good: "
==> main.cf <==
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/postfix/certificate.pem
smtpd_tls_key_file = /etc/postfix/key.pem
smtpd_sasl_auth_enable = yes
==> master.cf <==
smtp inet n - n - - smtpd -o smtpd_sasl_auth_enable=no
submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
127.0.0.1:10025 inet n - n - - smtpd
",
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let found = super::places(context, |it| {
        let open = it.takes_logins_without_tls() && !it.is_local() && !it.is_behind_proxy();
        let has_own_rule = matches!(it.port(), Some(Port::Submission | Port::Submissions));
        let auth = it.set("smtpd_sasl_auth_enable").filter(|_| open && !has_own_rule)?;
        let auth_only = it.set("smtpd_tls_auth_only");
        Some((auth_only.unwrap_or(auth), (hides_passwords(it), auth_only.map(|_| auth))))
    });
    for (span, (hides_passwords, auth)) in found {
        let but = if hides_passwords { ", if not for plain passwords" } else { "" };
        let finding = findings.at(span, format!("AUTH is offered outside TLS{but}"));
        finding.help("set smtpd_tls_auth_only = yes");
        if let Some(auth) = auth {
            finding.related(auth, "logins are on");
        }
    }
}

fn hides_passwords(server: &Server<'_>) -> bool {
    let options = server.value("smtpd_sasl_security_options");
    let mut words = lists::words(&options, COMMA_SPACE_FLAT);
    words.any(|it| options[it].eq_ignore_ascii_case(b"noplaintext"))
}
