# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_postls_global_optspecs
    string join \n c/config-dir= postfix= color= q/quiet v/verbose h/help V/version
end

function __fish_postls_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_postls_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_postls_using_subcommand
    set -l cmd (__fish_postls_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c postls -n "__fish_postls_needs_command" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_needs_command" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_needs_command" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_needs_command" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_needs_command" -s V -l version -d 'Print version'
complete -c postls -n "__fish_postls_needs_command" -f -a "lint" -d 'Find what Postfix will refuse, ignore or defer'
complete -c postls -n "__fish_postls_needs_command" -f -a "compile" -d 'Print the TLS policy table that the policy file describes'
complete -c postls -n "__fish_postls_needs_command" -f -a "diff" -d 'Show what apply would change'
complete -c postls -n "__fish_postls_needs_command" -f -a "apply" -d 'Make the configuration what the policy file says'
complete -c postls -n "__fish_postls_needs_command" -f -a "rollback" -d 'Go back to what files were before postls changed them'
complete -c postls -n "__fish_postls_needs_command" -f -a "history" -d 'List what postls has changed, when and why'
complete -c postls -n "__fish_postls_needs_command" -f -a "import" -d 'Write the policy file for a configuration that is there'
complete -c postls -n "__fish_postls_needs_command" -f -a "query" -d 'Say which TLS policy applies to a next-hop destination, and why'
complete -c postls -n "__fish_postls_needs_command" -f -a "probe" -d 'Connect to servers as Postfix would, and judge what they show by the policies in force'
complete -c postls -n "__fish_postls_needs_command" -f -a "pin" -d 'List the pins of destinations, say what has to be done about them, add and retire them'
complete -c postls -n "__fish_postls_needs_command" -f -a "fingerprint" -d 'Print the fingerprints of certificates and keys, as Postfix compares them'
complete -c postls -n "__fish_postls_needs_command" -f -a "publish" -d 'Print what partners need to know of this host\'s keys: fingerprints and TLSA records'
complete -c postls -n "__fish_postls_needs_command" -f -a "show" -d 'Print what was understood, as postconf does'
complete -c postls -n "__fish_postls_needs_command" -f -a "rules" -d 'List all rules'
complete -c postls -n "__fish_postls_needs_command" -f -a "completions" -d 'Print a script that completes command lines'
complete -c postls -n "__fish_postls_needs_command" -f -a "man" -d 'Print a manual page'
complete -c postls -n "__fish_postls_needs_command" -f -a "schema" -d 'Print the JSON Schema of an output or of the policy file'
complete -c postls -n "__fish_postls_needs_command" -f -a "explain" -d 'Print the page of a rule, or what is known of a parameter'
complete -c postls -n "__fish_postls_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c postls -n "__fish_postls_using_subcommand lint" -l as -d 'Lint the one PATH as if it stood in the configuration directory under this name' -r
complete -c postls -n "__fish_postls_using_subcommand lint" -l select -d 'Run only these rules, or the rules of these topics' -r
complete -c postls -n "__fish_postls_using_subcommand lint" -l ignore -d 'Do not run these rules, or the rules of these topics' -r
complete -c postls -n "__fish_postls_using_subcommand lint" -l baseline -d 'Leave out the findings that stand in this file' -r -F
complete -c postls -n "__fish_postls_using_subcommand lint" -l write-baseline -d 'Write all findings into FILE, or into that of --baseline, for runs to come' -r -F
complete -c postls -n "__fish_postls_using_subcommand lint" -l fail-on -d 'The lowest severity that makes the exit status 1' -r -f -a "error\t''
warning\t''
advice\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand lint" -l root -d 'Look at the system below DIR, such as an image: all names are names there' -r -F
complete -c postls -n "__fish_postls_using_subcommand lint" -l format -d 'The form of the output' -r -f -a "human\t'Excerpts with marks'
short\t'One line for each finding'
json\t'One JSON object'
sarif\t'SARIF 2.1.0, for code scanning'
github\t'Annotations of GitHub Actions'
gitlab\t'A code quality report of GitLab'"
complete -c postls -n "__fish_postls_using_subcommand lint" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand lint" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand lint" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand lint" -s r -l recursive -d 'Lint every configuration directory in and below the PATHs; without any, below this directory'
complete -c postls -n "__fish_postls_using_subcommand lint" -l staged -d 'Lint what git has staged, not what lies in the work tree (for a pre-commit hook)'
complete -c postls -n "__fish_postls_using_subcommand lint" -l host -d 'Look at the host too, as if its Postfix ran with the directory; so it is in /etc without this'
complete -c postls -n "__fish_postls_using_subcommand lint" -l fix -d 'Change the files: make the fixes after which mail flows as it should'
complete -c postls -n "__fish_postls_using_subcommand lint" -l unsafe-fixes -d 'With --fix: make those fixes too about which a person should decide'
complete -c postls -n "__fish_postls_using_subcommand lint" -l diff -d 'With --fix: print what would change as a patch, and change nothing'
complete -c postls -n "__fish_postls_using_subcommand lint" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand lint" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand lint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand compile" -s o -l output -d 'Write the table into this directory instead of standard output' -r -F
complete -c postls -n "__fish_postls_using_subcommand compile" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand compile" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand compile" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand compile" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand compile" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand compile" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand diff" -l root -d 'The system below DIR, such as an image that is being built: all names, and links too, are of that system, and stay in it; only POLICY is a file of this one. Nothing is reloaded' -r -F
complete -c postls -n "__fish_postls_using_subcommand diff" -l format -d 'The form of the output' -r -f -a "human\t'By policy, by parameter, then the text'
json\t'One JSON object'
patch\t'The text, for patch(1)'"
complete -c postls -n "__fish_postls_using_subcommand diff" -l out -d 'Write the whole plan into a file too, which `postls apply FILE` makes true' -r -F
complete -c postls -n "__fish_postls_using_subcommand diff" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand diff" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand diff" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand diff" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand diff" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand apply" -l root -d 'The system below DIR, such as an image that is being built: all names, and links too, are of that system, and stay in it; only POLICY is a file of this one. Nothing is reloaded' -r -F
complete -c postls -n "__fish_postls_using_subcommand apply" -l allow-downgrade -d 'Let a destination\'s policy ask for less, or lose a pin; `default` means all that have no row, `all` everything. May be given several times' -r
complete -c postls -n "__fish_postls_using_subcommand apply" -l reason -d 'Why it is done, for `history`' -r
complete -c postls -n "__fish_postls_using_subcommand apply" -l reload -d 'When a running Postfix reads its files again' -r -f -a "auto\t'Where it would not notice by itself'
always\t'Whenever something changed'
never\t''"
complete -c postls -n "__fish_postls_using_subcommand apply" -l keep -d 'How many generations are kept for `rollback`' -r
complete -c postls -n "__fish_postls_using_subcommand apply" -l format -d 'The form of the output' -r -f -a "human\t'A line or two'
json\t'One JSON object'"
complete -c postls -n "__fish_postls_using_subcommand apply" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand apply" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand apply" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand apply" -l check -d 'Only say what would change'
complete -c postls -n "__fish_postls_using_subcommand apply" -l diff -d 'Show the changes'
complete -c postls -n "__fish_postls_using_subcommand apply" -l adopt -d 'Drop the rows of a table that postls did not write'
complete -c postls -n "__fish_postls_using_subcommand apply" -l detailed-exitcode -d 'Exit with 10 if something changed'
complete -c postls -n "__fish_postls_using_subcommand apply" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand apply" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand rollback" -l root -d 'The system below DIR, such as an image that is being built: all names, and links too, are of that system, and stay in it; only POLICY is a file of this one. Nothing is reloaded' -r -F
complete -c postls -n "__fish_postls_using_subcommand rollback" -l reason -d 'Why, for `postls history`' -r
complete -c postls -n "__fish_postls_using_subcommand rollback" -l reload -d 'When a running Postfix reads its files again' -r -f -a "auto\t'Where it would not notice by itself'
always\t'Whenever something changed'
never\t''"
complete -c postls -n "__fish_postls_using_subcommand rollback" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand rollback" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand rollback" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand rollback" -l check -d 'Only say what would change'
complete -c postls -n "__fish_postls_using_subcommand rollback" -l diff -d 'Show the changes'
complete -c postls -n "__fish_postls_using_subcommand rollback" -l discard-changes -d 'Lose what others have changed in these files since'
complete -c postls -n "__fish_postls_using_subcommand rollback" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand rollback" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand history" -l root -d 'The system below DIR, such as an image that is being built: all names, and links too, are of that system, and stay in it; only POLICY is a file of this one. Nothing is reloaded' -r -F
complete -c postls -n "__fish_postls_using_subcommand history" -l format -d 'The form of the output' -r -f -a "human\t'Lines, the last generation first'
json\t'One JSON object, the oldest generation first'"
complete -c postls -n "__fish_postls_using_subcommand history" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand history" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand history" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand history" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand history" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand import" -s o -l output -d 'Write a new file instead of standard output' -r -F
complete -c postls -n "__fish_postls_using_subcommand import" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand import" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand import" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand import" -l force -d 'Overwrite the file that is there'
complete -c postls -n "__fish_postls_using_subcommand import" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand import" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand query" -l service -d 'Ask for a service of master.cf with its own settings, such as relay or smtp/unix' -r
complete -c postls -n "__fish_postls_using_subcommand query" -l format -d 'How to print it' -r -f -a "human\t'For people'
json\t'For programs: postls/query/v1'"
complete -c postls -n "__fish_postls_using_subcommand query" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand query" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand query" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand query" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand query" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand query" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand probe" -l policy -d 'The policy file; default: postls.yaml in the configuration directory' -r -F
complete -c postls -n "__fish_postls_using_subcommand probe" -l from-log -d 'The destinations that a mail log says mail was sent to; - is standard input, .gz is unpacked' -r -F
complete -c postls -n "__fish_postls_using_subcommand probe" -l pin -d 'Take the key that DEST shows now as a new pin in the policy file' -r
complete -c postls -n "__fish_postls_using_subcommand probe" -l expect -d 'What that key or its certificate has to have as fingerprint, from the other side by other means' -r
complete -c postls -n "__fish_postls_using_subcommand probe" -l service -d 'Ask for a service of master.cf with its own settings, such as relay or smtp/unix' -r
complete -c postls -n "__fish_postls_using_subcommand probe" -l resolver -d 'The name server to ask, instead of those in /etc/resolv.conf; it is trusted with DNSSEC' -r
complete -c postls -n "__fish_postls_using_subcommand probe" -l timeout -d 'So many seconds for each connection' -r
complete -c postls -n "__fish_postls_using_subcommand probe" -l total-timeout -d 'So many seconds for all; what has not begun then is not tried' -r
complete -c postls -n "__fish_postls_using_subcommand probe" -l parallel -d 'So many connections at the same time, or as many as there are descriptors for' -r
complete -c postls -n "__fish_postls_using_subcommand probe" -l per-provider -d 'So many of them with one provider: with addresses in one network, /24 or /48' -r
complete -c postls -n "__fish_postls_using_subcommand probe" -l format -d 'How to print it' -r -f -a "human\t'For people'
json\t'For programs: postls/probe/v1'
prometheus\t'For the text file collector of Prometheus\' node exporter'
nagios\t'For Nagios and its like, with their exit statuses'"
complete -c postls -n "__fish_postls_using_subcommand probe" -l report -d 'Write it to a file too, in the form that its ending says: .html, .json, .prom' -r -F
complete -c postls -n "__fish_postls_using_subcommand probe" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand probe" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand probe" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand probe" -l suggest -d 'Write entries for the policy file, for destinations without a policy: the strictest that would be met today'
complete -c postls -n "__fish_postls_using_subcommand probe" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand probe" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand probe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -l policy -d 'The policy file; default: postls.yaml in the configuration directory' -r -F
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -f -a "list" -d 'List pins: fingerprints, where they stand, dates, notes'
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -f -a "status" -d 'Say what has to be done about pins, the most pressing first'
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -f -a "add" -d 'Add a pin to the policy file; apply puts it in force'
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -f -a "retire" -d 'Say in the policy file from which day on a pin should be gone, or take it out'
complete -c postls -n "__fish_postls_using_subcommand pin; and not __fish_seen_subcommand_from list status add retire help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from list" -l format -d 'How to print it' -r -f -a "human\t'For people'
json\t'For programs: postls/pins/v1'"
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from list" -l policy -d 'The policy file; default: postls.yaml in the configuration directory' -r -F
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from list" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from list" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from status" -l within -d 'Exit with 1 also if something has to be done within this many days' -r
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from status" -l format -d 'How to print it' -r -f -a "human\t'For people'
json\t'For programs: postls/pins/v1'"
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from status" -l policy -d 'The policy file; default: postls.yaml in the configuration directory' -r -F
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from status" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from status" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from status" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -l pem -d 'A PEM file with the certificate or key; its name relative to the policy file that gets it' -r
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -l of -d 'What is pinned' -r -f -a "public-key\t'The public key: it may outlast a renewal of the certificate'
certificate\t'The certificate: the pin must change whenever it is renewed'"
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -l note -d 'A remark: where the fingerprint is from, who checked it' -r
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -l retire-others -d 'From this day on all other pins of the destination should be gone' -r
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -l policy -d 'The policy file; default: postls.yaml in the configuration directory' -r -F
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -l in-profile -d 'Change the profile that the pins come from, for all destinations that use it'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -l check -d 'Only say what would change'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -l diff -d 'Show the change'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -l on -d 'The day from which on it should be gone; default: today' -r
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -l policy -d 'The policy file; default: postls.yaml in the configuration directory' -r -F
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -l remove -d 'Take it out now'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -l force -d 'Do so even if no other pin stays'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -l in-profile -d 'Change the profile that the pins come from, for all destinations that use it'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -l check -d 'Only say what would change'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -l diff -d 'Show the change'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from retire" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from help" -f -a "list" -d 'List pins: fingerprints, where they stand, dates, notes'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from help" -f -a "status" -d 'Say what has to be done about pins, the most pressing first'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from help" -f -a "add" -d 'Add a pin to the policy file; apply puts it in force'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from help" -f -a "retire" -d 'Say in the policy file from which day on a pin should be gone, or take it out'
complete -c postls -n "__fish_postls_using_subcommand pin; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -l digest -d 'The digests to print; default: the one that the configuration needs, else sha256' -r -f -a "md5\t''
sha1\t''
sha224\t''
sha256\t''
sha384\t''
sha512\t''
all\t''"
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -l of -d 'What --yaml and --match make the fingerprint of' -r -f -a "public-key\t'Survives a renewal with the same key'
certificate\t'Changes with every renewal'"
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -l format -d 'How to print it' -r -f -a "human\t'For people'
json\t'For programs: postls/fingerprint/v1'"
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -l yaml -d 'Print pins to paste under pins: of a destination in the policy file'
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -l match -d 'Print match= to paste into a row of a TLS policy table, at level fingerprint'
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand fingerprint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand publish" -l name -d 'Names of the mail server; default: lint: mx of the policy file, else myhostname, and those of SNI' -r
complete -c postls -n "__fish_postls_using_subcommand publish" -l next -d 'A key, request or certificate that will come: it is published before it is used' -r -F
complete -c postls -n "__fish_postls_using_subcommand publish" -l port -d 'The ports to make TLSA records for' -r -f -a "25\t'SMTP, where others deliver'
587\t'Submission, where users log in'
465\t'The same with TLS from the start'"
complete -c postls -n "__fish_postls_using_subcommand publish" -l digest -d 'The digests that partners pin; TLSA records have sha256' -r -f -a "md5\t''
sha1\t''
sha224\t''
sha256\t''
sha384\t''
sha512\t''
all\t''"
complete -c postls -n "__fish_postls_using_subcommand publish" -l format -d 'How to print it' -r -f -a "human\t'For people'
json\t'For programs: postls/publish/v1'
zone\t'Records for the zone file'"
complete -c postls -n "__fish_postls_using_subcommand publish" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand publish" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand publish" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand publish" -l host -d 'Take the directory for one that a Postfix of this host runs with; so it is in /etc without this'
complete -c postls -n "__fish_postls_using_subcommand publish" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand publish" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand publish" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand show" -l table -d 'Show a lookup table, as postmap -s texthash:FILE, in the order of the file' -r -F
complete -c postls -n "__fish_postls_using_subcommand show" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand show" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand show" -s x -l expand -d 'Show what values are once their references are expanded, as postconf -x'
complete -c postls -n "__fish_postls_using_subcommand show" -s M -l services -d 'Show the services of master.cf, as postconf -M'
complete -c postls -n "__fish_postls_using_subcommand show" -s P -l overrides -d 'Show what services set for themselves, as postconf -P'
complete -c postls -n "__fish_postls_using_subcommand show" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand show" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand rules" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand rules" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand rules" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand rules" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand rules" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand rules" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand completions" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand completions" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand completions" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand completions" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand completions" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand man" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand man" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand man" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand man" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand man" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand schema" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand schema" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand schema" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand schema" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand schema" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand explain" -s c -l config-dir -d 'The configuration directory; default: $MAIL_CONFIG, else /etc/postfix' -r -F
complete -c postls -n "__fish_postls_using_subcommand explain" -l postfix -d 'The oldest Postfix that the files must work on, such as 3.7' -r
complete -c postls -n "__fish_postls_using_subcommand explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t''
never\t''"
complete -c postls -n "__fish_postls_using_subcommand explain" -l names -d 'List what can be explained, a name in each line, for shell completions'
complete -c postls -n "__fish_postls_using_subcommand explain" -s q -l quiet -d 'Print findings and results only'
complete -c postls -n "__fish_postls_using_subcommand explain" -s v -l verbose -d 'Say on standard error which files are read'
complete -c postls -n "__fish_postls_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "lint" -d 'Find what Postfix will refuse, ignore or defer'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "compile" -d 'Print the TLS policy table that the policy file describes'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "diff" -d 'Show what apply would change'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "apply" -d 'Make the configuration what the policy file says'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "rollback" -d 'Go back to what files were before postls changed them'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "history" -d 'List what postls has changed, when and why'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "import" -d 'Write the policy file for a configuration that is there'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "query" -d 'Say which TLS policy applies to a next-hop destination, and why'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "probe" -d 'Connect to servers as Postfix would, and judge what they show by the policies in force'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "pin" -d 'List the pins of destinations, say what has to be done about them, add and retire them'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "fingerprint" -d 'Print the fingerprints of certificates and keys, as Postfix compares them'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "publish" -d 'Print what partners need to know of this host\'s keys: fingerprints and TLSA records'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "show" -d 'Print what was understood, as postconf does'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "rules" -d 'List all rules'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "completions" -d 'Print a script that completes command lines'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "man" -d 'Print a manual page'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "schema" -d 'Print the JSON Schema of an output or of the policy file'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "explain" -d 'Print the page of a rule, or what is known of a parameter'
complete -c postls -n "__fish_postls_using_subcommand help; and not __fish_seen_subcommand_from lint compile diff apply rollback history import query probe pin fingerprint publish show rules completions man schema explain help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c postls -n "__fish_postls_using_subcommand help; and __fish_seen_subcommand_from pin" -f -a "list" -d 'List pins: fingerprints, where they stand, dates, notes'
complete -c postls -n "__fish_postls_using_subcommand help; and __fish_seen_subcommand_from pin" -f -a "status" -d 'Say what has to be done about pins, the most pressing first'
complete -c postls -n "__fish_postls_using_subcommand help; and __fish_seen_subcommand_from pin" -f -a "add" -d 'Add a pin to the policy file; apply puts it in force'
complete -c postls -n "__fish_postls_using_subcommand help; and __fish_seen_subcommand_from pin" -f -a "retire" -d 'Say in the policy file from which day on a pin should be gone, or take it out'
complete -c postls -n "__fish_postls_using_subcommand explain" -f -a "(postls explain --names 2>/dev/null)"
