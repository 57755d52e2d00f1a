/*
 * libcedar: the policy language Cedar 4 (https://docs.cedarpolicy.com) in C. Pure: no I/O, no globals, no threads of
 * its own; usable without the rest of the house.
 *
 *   text --parse--> policies --compile--> program --decide--> allow | deny, reasons, errors
 *                      |                     ^
 *                      +--validate--+        +-- request (principal, action, resource, context) and entities
 *                                   |
 *   text --schema--> schema --------+
 *
 * What is built (policies, program, entities, schema) is immutable once built and may be used by any number of threads
 * at a time; whoever built it frees it when nobody uses it any more. Errors of texts are collected, all at once, as
 * lines "file:line:column: what is wrong: what would be right"; of requests and single values, as a struct fault.
 *
 * A policy that fails while it is evaluated is skipped and reported; nothing permitted is deny; a forbid wins.
 */
#ifndef CEDAR_CEDAR_H
#define CEDAR_CEDAR_H

#include "cedar/decide.h"
#include "cedar/entities.h"
#include "cedar/est.h"
#include "cedar/parse.h"
#include "cedar/policy.h"
#include "cedar/print.h"
#include "cedar/schema.h"
#include "cedar/validate.h"
#include "cedar/value.h"

#endif
