// SPDX-License-Identifier: Apache-2.0
// Sentences put together from parts. A few hundred parts give more bodies than anyone will read,
// and text that compresses about as real posts do.
#include "server/cli/workload_text.h"

#include <string.h>

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define BODY_MIN 20u

static const char *const openers[] = {
    "Good morning",
    "Honestly",
    "Just saw that",
    "I think",
    "Nobody told me that",
    "Every year",
    "Finally",
    "This week",
    "My sister says",
    "Not sure if",
    "Today",
    "Last night",
    "Is it only me or",
    "It turns out that",
    "Reminder:",
    "Small victory:",
    "Question:",
    "Unpopular opinion:",
    "Apparently",
    "For the first time",
    "Still thinking about how",
    "Buenos días,",
    "Qué ganas de que",
    "Menos mal que",
    "Resulta que",
    "Otra vez",
    "Ojalá",
    "Esta tarde",
    "Mi abuela dice que",
    "Dicen que",
    "Al final",
    "Por fin",
};
static const char *const subjects[] = {
    "the train to Valencia",
    "our neighbour's dog",
    "this little café",
    "the new library",
    "my old bicycle",
    "the whole team",
    "that song from 1994",
    "the sea at seven in the morning",
    "the bakery on the corner",
    "the last chapter",
    "a stranger on the bus",
    "the weather app",
    "the exhibition downtown",
    "the second coffee",
    "the local market",
    "the night shift",
    "el partido de ayer",
    "la playa en otoño",
    "mi hermano pequeño",
    "el tren de las ocho",
    "la tortilla de mi madre",
    "el examen de mañana",
    "la película nueva",
    "el gato del vecino",
    "la lluvia",
    "el concierto",
    "la receta",
    "el equipo",
    "la gente del barrio",
    "el jefe",
    "the garden",
    "the old map",
    "the radio",
    "her first marathon",
    "the bridge",
    "the teacher",
    "my phone",
    "the printer",
    "the moon",
    "this street",
};
static const char *const verbs[] = {
    "makes me happy",
    "was late again",
    "deserves a prize",
    "surprised everyone",
    "is closed on Monday",
    "changed my mind",
    "smells like summer",
    "kept me awake",
    "looks better in winter",
    "costs twice as much now",
    "never disappoints",
    "needs a rest",
    "made my day",
    "fell apart",
    "is worth the walk",
    "sounds different today",
    "taught me patience",
    "broke down",
    "ha sido increíble",
    "no tiene precio",
    "me ha alegrado el día",
    "llega tarde otra vez",
    "está mejor que nunca",
    "huele a verano",
    "me recuerda a casa",
    "no me deja dormir",
    "vale la pena",
    "es lo mejor de la semana",
    "se ha estropeado",
    "me hace pensar",
    "won by two goals",
    "finally works",
    "has a new colour",
    "is full of surprises",
    "starts at nine",
};
static const char *const joints[] = {
    ", and", ", but",   " because", " while", ", so", " y",
    " pero", " porque", ";",        ".",      " -",   " when",
};
static const char *const closers[] = {
    "",
    "",
    "",
    "",
    "!",
    ".",
    "...",
    "?",
    " 😂",
    " ❤",
    " 🙌",
    " #madrid",
    " #foodie",
    " #running",
    " #nature",
    " #books",
    " #music",
    " #lunes",
    " #viernes",
    " #weekend",
    " #felizdia",
    " ☕",
    " 🌊",
    " Thoughts?",
    " Any tips?",
    " What do you think?",
    " ¡Qué bien!",
    " Gracias a todos.",
    " See you there",
    " (photo tomorrow)",
};

const struct pz_workload_province pz_workload_provinces[PZ_WORKLOAD_PROVINCES] = {
    {"Madrid", 6751},        {"Barcelona", 5714},
    {"Valencia", 2589},      {"Sevilla", 1948},
    {"Alicante", 1881},      {"Málaga", 1695},
    {"Murcia", 1518},        {"Cádiz", 1245},
    {"Bizkaia", 1154},       {"A Coruña", 1121},
    {"Illes Balears", 1173}, {"Las Palmas", 1128},
    {"Asturias", 1011},      {"Santa Cruz de Tenerife", 1045},
    {"Zaragoza", 967},       {"Pontevedra", 945},
    {"Granada", 921},        {"Tarragona", 822},
    {"Córdoba", 776},        {"Girona", 786},
    {"Gipuzkoa", 726},       {"Almería", 731},
    {"Toledo", 709},         {"Badajoz", 669},
    {"Navarra", 661},        {"Jaén", 627},
    {"Castellón", 587},      {"Cantabria", 584},
    {"Huelva", 525},         {"Valladolid", 519},
    {"Ciudad Real", 492},    {"León", 451},
    {"Lleida", 439},         {"Cáceres", 389},
    {"Albacete", 386},       {"Burgos", 356},
    {"Álava", 333},          {"Salamanca", 327},
    {"Lugo", 326},           {"La Rioja", 319},
    {"Ourense", 305},        {"Guadalajara", 265},
    {"Huesca", 224},         {"Cuenca", 195},
    {"Zamora", 168},         {"Palencia", 159},
    {"Ávila", 158},          {"Segovia", 153},
    {"Teruel", 134},         {"Soria", 88},
};

// Appends a part when it fits below `max`.
static size_t
add(char *out, size_t len, size_t max, const char *space, const char *part)
{
    size_t space_len = strlen(space);
    size_t part_len = strlen(part);
    if (len + space_len + part_len > max) {
        return len;
    }
    memcpy(out + len, space, space_len);
    memcpy(out + len + space_len, part, part_len);
    return len + space_len + part_len;
}

size_t
pz_workload_body(struct pz_workload_rng *rng, char *out)
{
    uint64_t bits = pz_workload_draw(rng);
    size_t wanted =
        BODY_MIN + pz_workload_below((uint32_t)bits, PZ_WORKLOAD_BODY_MAX - BODY_MIN - 20);
    const char *opener = openers[pz_workload_below((uint32_t)(bits >> 32), COUNT(openers))];
    size_t len = add(out, 0, PZ_WORKLOAD_BODY_MAX, "", opener);
    for (;;) {
        uint64_t first = pz_workload_draw(rng);
        uint64_t second = pz_workload_draw(rng);
        const char *subject = subjects[pz_workload_below((uint32_t)first, COUNT(subjects))];
        const char *verb = verbs[pz_workload_below((uint32_t)(first >> 32), COUNT(verbs))];
        len = add(out, len, PZ_WORKLOAD_BODY_MAX - 20, " ", subject);
        len = add(out, len, PZ_WORKLOAD_BODY_MAX - 20, " ", verb);
        if (len >= wanted || len > PZ_WORKLOAD_BODY_MAX - 60) {
            const char *closer = closers[pz_workload_below((uint32_t)second, COUNT(closers))];
            return add(out, len, PZ_WORKLOAD_BODY_MAX, "", closer);
        }
        const char *joint = joints[pz_workload_below((uint32_t)(second >> 32), COUNT(joints))];
        len = add(out, len, PZ_WORKLOAD_BODY_MAX, "", joint);
    }
}
