# Postfix's TLS policies, as one policy file says.
#
#   class { 'postls': source => 'puppet:///modules/profile/postls.yaml' }
#
# The file is put in place only if postls would apply it. What it describes is applied where the
# configuration is not like that already; postls reloads Postfix by itself where that is needed. With --noop
# both are said and not done.
class postls (
  Optional[String] $source     = undef,
  Optional[String] $content    = undef,
  String           $config_dir = '/etc/postfix',
  Array[String]    $options    = [],
  Array[String]    $path       = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'],
) {
  $policy = "${config_dir}/postls.yaml"

  file { $policy:
    ensure       => file,
    source       => $source,
    content      => $content,
    mode         => '0644',
    validate_cmd => "/usr/bin/env PATH=${join($path, ':')} postls apply --check -q -c ${config_dir} ${join($options, ' ')} %",
  }

  exec { 'postls apply':
    command => "postls apply -q -c ${config_dir} ${join($options, ' ')}",
    # Exit status 0: nothing to do. Where postls could not look, apply says why.
    unless  => "postls diff -q -c ${config_dir}",
    path    => $path,
    require => File[$policy],
  }
}
