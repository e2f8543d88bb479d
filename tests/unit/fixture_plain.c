// SPDX-License-Identifier: MIT
#include "fixture_plain.h"

#include "profile/types.h"

struct plain_profile *fixture_plain(void)
{
    struct plain_profile *profile = plain_new();
    profile_type_add(&profile_types[PROFILE_CPU], profile);
    return profile;
}

uint32_t fixture_mapping(struct plain_profile *profile, const char *file, const char *build_id,
                         uint64_t start)
{
    return plain_add_mapping(profile, (struct plain_mapping){
                                          .start = start,
                                          .limit = start + 0x1000,
                                          .offset = 0x2000,
                                          .file = plain_text(profile, file),
                                          .build_id = plain_text(profile, build_id),
                                          .has_functions = true,
                                      });
}

uint32_t fixture_location(struct plain_profile *profile, uint32_t mapping, uint64_t address,
                          const char *name)
{
    struct plain_function function = {.name = plain_text(profile, name)};
    struct plain_line line = {.function = plain_add_function(profile, function), .line = 7};
    return plain_add_location(profile, mapping, address, &line, 1);
}

void fixture_sample(struct plain_profile *profile, uint32_t stack, uint32_t set, int64_t samples,
                    int64_t ns)
{
    plain_add(profile, plain_sample(profile, stack, set), (const int64_t[]){samples, ns});
}
