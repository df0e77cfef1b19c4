# Postfix's TLS policies, as one policy file says.
#
#   salt 'mail*' state.apply postls
#
# The file is put in place only if postls would apply it. What it describes is applied where the
# configuration is not like that already; postls reloads Postfix by itself where that is needed. With
# test=True both are said and not done.
{% set directory = salt['pillar.get']('postls:config_dir', '/etc/postfix') %}
{% set source = salt['pillar.get']('postls:source', 'salt://postls.yaml') %}
{% set options = salt['pillar.get']('postls:options', '') %}

postls policy file:
  file.managed:
    - name: {{ directory }}/postls.yaml
    - source: {{ source }}
    - mode: '0644'
    # Salt puts the name of the new file behind it. It stands beside the old one, for it may include others.
    - check_cmd: postls apply --check -q -c {{ directory }} {{ options }}
    - tmp_dir: {{ directory }}

postls apply:
  cmd.run:
    - name: postls apply -q -c {{ directory }} {{ options }}
    # Exit status 0: nothing to do. Where postls could not look, apply says why.
    - unless: postls diff -q -c {{ directory }}
    - require:
      - file: postls policy file
