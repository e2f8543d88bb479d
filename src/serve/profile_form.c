// SPDX-License-Identifier: MIT
#include "serve/profile_form.h"

#include "output/legacy_text.h"
#include "output/writer.h"

enum rc profile_form_write(const struct plain_profile *profile, uint32_t form, FILE *out,
                           struct err *err)
{
    const struct writing writing = {.profile = profile};
    if (form == ASK_TEXT)
        return legacy_text_write(profile, out, err);
    return writer_by_name("pprof")->write(&writing, out, err);
}
