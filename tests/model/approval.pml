/*
 * A question to a person, and two identical calls that want to be made: src/approve as a model. The table of states
 * stands before this text: AFTER(state, event) and the names, made of src/approve/states.c.
 *
 * What may happen at any point: two people decide, the second of a group that may only when it is escalated, or by
 * break-glass; two calls ask, leave, come back and take, time runs out, an operator kills the session, another one ends
 * break-glass, the store takes a change not, and the process stops, loses its memory, and starts from the
 * store.
 *
 * Holds: no call is made without a yes that was in force when it was taken, none after a kill was answered, none twice;
 * of two decisions one is in force; nobody of the second group decides before the store knows that it was escalated,
 * and nobody by break-glass after its end was answered; and a question that was asked ends (ltl ends).
 *
 * Escalation and break-glass are each looked at by itself (-DESCALATION, -DGLASS), since all together is too much.
 *
 * A mutant (-DMUTANT_…) is the house with one fault, and has to fail.
 */
#define NOTHING 255
#ifndef CRASHES
#define CRASHES 1
#define FAILS   1
#endif
#define waits_for_people(s) (s == PENDING || s == GRANTED)
#define over(s) (s >= DONE)
#define is_no(e) (e == DENY || e == TIMEOUT || e == BREAK || e == END)

/* by what somebody may say yes */
#define BY_GROUP  0
#define BY_SECOND 1
#define BY_GLASS  2

/* the disk */
byte d = NONE;
bool d_escalated = false;
#ifdef GLASS
bool d_glass = true, glass = true;
#else
bool d_glass = false, glass = false;
#endif

/* the process */
byte m = NONE, move = NOTHING, taker = 0, epoch = 0;
bool up = true, session = true, dirty = false, ending = false, escalated = false;
byte basis = BY_GROUP; /* of the yes that is under way */
bool waits[2], mail[2];

/* the world */
byte crashes = 0, fails = 0;
bool escalation_due = false;
bool asking_late = false, grant_late = false; /* time is over: of the question, of the yes */

/* what an observer knows */
byte executed = 0, decided = 0;
bool asked = false, yes = false, kill_answered = false, glass_answered = false;

inline write_down(e) {
    if
    :: waits_for_people(d) || d == TAKEN || d == NONE ->
        d = AFTER(m, e);
        if
        :: e == GRANT ->
            decided++; yes = true;
            assert(basis != BY_SECOND || d_escalated);
            assert(basis != BY_GLASS || !glass_answered)
        :: e == ESCALATE -> d_escalated = true
        :: e == DENY -> decided++
        :: e == ASKED -> asked = true
        :: else -> skip
        fi;
        assert(decided <= 1);
        assert(d != NONE)
    :: else -> skip
    fi
}

inline enter(e, ok) {
    if
    :: ok || is_no(e) -> m = AFTER(m, e); dirty = !ok
    :: else -> skip
    fi;
    if
    :: e == ASKED && !ok -> m = NONE
    :: e == ESCALATE && ok -> escalated = true
    :: e == TAKE -> waits[taker] = false; mail[taker] = ok
    :: else -> skip
    fi;
    move = NOTHING
}

active proctype writer() {
    byte e, at;
    bool ok;
    do
    :: atomic { up && move != NOTHING -> e = move; at = epoch; ok = true };
#ifdef MUTANT_TOLD_BEFORE_WRITTEN
       atomic { at == epoch && e == TAKE -> mail[taker] = true } unless { at != epoch || e != TAKE };
#endif
       if
       :: atomic { at == epoch -> write_down(e) }
       :: atomic { at == epoch && fails < FAILS -> fails++; ok = false }
       :: at != epoch -> skip
       fi;
       if
       :: atomic { at == epoch -> enter(e, ok) }
       :: at != epoch -> skip
       fi
    :: atomic { up && dirty && move == NOTHING -> /* again, what is in force and not there */
           if
           :: d == PENDING && m == DENIED -> decided++
           :: else -> skip
           fi;
           d = m; dirty = false }
    :: atomic { up && over(m) && !dirty && move == NOTHING && crashes == CRASHES -> break }
    od
}

active [2] proctype call() {
    byte leaves = 0;
    bool heard = false;
    do
    :: atomic { up && !heard && !waits[_pid - 1] && !mail[_pid - 1] && m == NONE && move == NOTHING && session ->
           move = ASKED; waits[_pid - 1] = true }
    :: atomic { up && !heard && !waits[_pid - 1] && !mail[_pid - 1] && session &&
                (waits_for_people(m) || m == TAKEN) -> waits[_pid - 1] = true }
    :: atomic { up && waits[_pid - 1] && m == GRANTED && move == NOTHING && session && !grant_late ->
           move = TAKE; taker = _pid - 1 }
    :: atomic { up && waits[_pid - 1] && leaves < 1 && !(move == TAKE && taker == _pid - 1) ->
           leaves++; waits[_pid - 1] = false }
    :: atomic { up && mail[_pid - 1] -> mail[_pid - 1] = false; /* told: go on */
           if
           :: session ->
               assert(yes);
               assert(!kill_answered);
               executed++;
               assert(executed <= 1)
           :: else -> skip
           fi;
           ending = true }
    :: atomic { up && over(m) -> waits[_pid - 1] = false; heard = true; break }
    :: atomic { !session && up && !waits[_pid - 1] && !mail[_pid - 1] -> break }
    od
}

/* What follows from how it stands: approvals_follow, approvals_done. */
active proctype follow() {
    do
#ifndef MUTANT_NO_TIMEOUT
    :: atomic { up && move == NOTHING && m == PENDING && asking_late -> move = TIMEOUT }
    :: atomic { up && move == NOTHING && m == GRANTED && grant_late -> move = TIMEOUT }
#endif
    :: atomic { up && move == NOTHING && waits_for_people(m) && !session -> move = BREAK }
#ifdef ESCALATION
    :: atomic { up && move == NOTHING && m == PENDING && escalation_due && !escalated && !asking_late && session ->
           move = ESCALATE
#ifdef MUTANT_ESCALATED_BEFORE_WRITTEN
           ; escalated = true
#endif
       }
#endif
    :: atomic { up && move == NOTHING && m == TAKEN && ending -> ending = false; move = END }
    :: atomic { up && over(m) && move == NOTHING && crashes == CRASHES -> break }
    od
}

#define may_decide (up && m == PENDING && move == NOTHING && !asking_late && session)

/* The first is of the group that decides, the second of the one that it is escalated to. */
active [2] proctype person() {
#if defined(ESCALATION) || defined(GLASS)
    bool second = (_pid % 2);
#else
    bool second = false;
#endif
    if
#ifdef MUTANT_LOOKS_BEFORE_IT_LOCKS
    :: atomic { may_decide -> skip };
       atomic { up && move == NOTHING -> move = DENY }
#endif
    :: atomic { may_decide && (!second || escalated) -> move = GRANT; basis = (second -> BY_SECOND : BY_GROUP) }
    :: atomic { may_decide && second && glass -> move = GRANT; basis = BY_GLASS }
    :: atomic { may_decide && (!second || escalated) -> move = DENY }
    :: true -> skip /* says nothing */
    fi
}

active proctype time() {
#ifdef ESCALATION
    escalation_due = true;
#endif
    asking_late = true;
    grant_late = true
}

active proctype operator() {
    if
    :: atomic { up && session -> session = false }
#ifndef MUTANT_KILL_ANSWERED_AT_ONCE
       if /* until it is in the store; or never, when the process stops before */
       :: atomic { up && !session && !waits_for_people(m) && !dirty && move == NOTHING && d == m ->
              kill_answered = true }
       :: session || !up -> skip
       fi
#else
       atomic { kill_answered = true }
#endif
    :: true -> skip
    fi
}

active proctype crash() {
    do
    :: crashes < CRASHES ->
        atomic { up = false; epoch++; crashes++; m = NONE; move = NOTHING; session = false; dirty = false;
                 escalated = false; glass = false; basis = BY_GROUP;
                 ending = false; waits[0] = false; waits[1] = false; mail[0] = false; mail[1] = false }
        atomic { m = d; up = true; escalated = d_escalated; glass = d_glass;
                 session = waits_for_people(d) || (d == NONE && !kill_answered); /* else it would be another one's question */
#ifdef MUTANT_TAKES_UP_AGAIN
                 if
                 :: m == TAKEN -> m = GRANTED; session = true
                 :: else -> skip
                 fi
#endif
                 ending = (m == TAKEN) }
    :: crashes == CRASHES -> break
    :: crashes < CRASHES -> crashes = CRASHES; break
    od
}

#ifdef GLASS
/* Ends break-glass, which was opened before: the end is answered when nothing that was decided by it is on its way any more. */
active proctype breaker() {
    byte at;
    if
    :: atomic { up && glass -> glass = false; at = epoch };
#ifndef MUTANT_GLASS_ENDED_AT_ONCE
       if
       :: move == NOTHING -> skip
       :: at != epoch -> skip
       fi;
#endif
       if
       :: atomic { up && at == epoch -> d_glass = false; glass_answered = true }
       :: at != epoch -> skip
       fi
    :: true -> skip
    fi
}
#endif

ltl ends { [] (asked -> <> (up && over(m))) }
