/*
 * Feeds the specification reader: cases from standard input, each a u32 size and that many bytes, each in a heap block of
 * exactly its size, so that the address sanitizer sees one byte too many. Prints how many were accepted and refused.
 */
#include "launcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Everything that a good specification promises to the steps behind it: reads all of it. */
static size_t walk(const struct spec *s) {
  size_t sum = s->base ? strlen(s->base) : 0;
  for (uint32_t i = 0; i < s->mount_count; i++) {
    sum += strlen(s->mounts[i].target) + strlen(s->mounts[i].source);
    for (uint32_t at = 0; at < s->mounts[i].data_size; at++) sum += s->mounts[i].data[at];
    if (s->mounts[i].idmap > s->idmap_count) abort();
  }
  for (uint32_t i = 0; i < s->idmap_count; i++) sum += strlen(s->idmaps[i].uid_map) + strlen(s->idmaps[i].gid_map);
  for (uint32_t i = 0; i < s->listener_count; i++) {
    sum += strlen(s->listeners[i].name);
    if (s->listeners[i].port == 0 || s->listeners[i].port > 65535) abort();
  }
  for (uint32_t i = 0; i < s->netlink_count; i++)
    for (uint32_t at = 0; at < s->netlinks[i].size; at++) sum += s->netlinks[i].bytes[at];
  for (uint32_t i = 0; i < s->rule_count; i++) sum += strlen(s->rules[i].path);
  for (uint32_t at = 0; at < s->seccomp_size; at++) sum += s->seccomp[at];
  for (char **word = s->argv; word && *word; word++) sum += strlen(*word);
  for (char **word = s->env; word && *word; word++) sum += strlen(*word);
  if (s->uid == 0 || s->gid == 0 || s->seccomp_size == 0 || s->mount_count == 0) abort();
  return sum;
}

int main(void) {
  static struct spec spec;
  uint32_t size;
  size_t accepted = 0, refused = 0, sum = 0;
  while (fread(&size, sizeof size, 1, stdin) == 1) {
    uint8_t *data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, stdin) != size) return 3;
    if (spec_parse(&spec, data, size)) {
      refused++;
    } else {
      accepted++;
      sum += walk(&spec);
    }
    free(spec.argv), free(spec.env);
    free(data);
  }
  printf("%zu %zu\n", accepted, refused);
  return sum == (size_t)-1;
}
