// SPDX-License-Identifier: MIT
#include "dump/dump_pprof.h"

#include "dump/dump_profile.h"
#include "output/writer.h"

enum rc dump_pprof(const struct dump *dump, struct modules *modules, FILE *out, struct err *err)
{
    struct plain_profile *profile = dump_threads_profile(dump, modules);
    struct writing writing = {.profile = profile};
    enum rc rc = writer_by_name("pprof")->write(&writing, out, err);
    plain_free(profile);
    return rc;
}
