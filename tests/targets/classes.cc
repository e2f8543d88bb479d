// SPDX-License-Identifier: MIT
// Has objects of its own classes and containers on the heap and prints how many of each, as JSON
// {"what it is": count}: single and multiple inheritance, virtual bases, templates, a class that
// only this file knows, arrays, nodes, texts. Some were freed again. Sleeps until it is ended.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <sys/mman.h>
#include <typeinfo>
#include <unistd.h>
#include <unordered_map>
#include <utility>
#include <vector>

namespace zoo {

struct Animal {
    virtual ~Animal() {}
    virtual int legs() const { return 4; }
    long weight = 30;
};

struct Dog : Animal {
    int legs() const override { return 3; }
    long age = 7;
};

template <typename Kept> struct Cage : Animal {
    Kept kept{};
    int legs() const override { return 0; }
};

struct Flies {
    virtual ~Flies() {}
    virtual int wings() const { return 2; }
};

struct Swims {
    virtual ~Swims() {}
    virtual int fins() const { return 2; }
    long depth = 9;
};

struct Duck : Flies, Swims {
    int wings() const override { return 4; }
    int fins() const override { return 0; }
};

struct Top {
    virtual ~Top() {}
    long top = 1;
};

struct Left : virtual Top {
    virtual void left() {}
    long l = 2;
};

struct Right : virtual Top {
    virtual void right() {}
    long r = 3;
};

struct Bottom : Left, Right {
    void left() override {}
    void right() override {}
};

struct Plain { // no virtual functions: nothing says what it is
    long number = 42, other = 43;
};

} // namespace zoo

namespace {

struct Hidden : zoo::Animal {
    int legs() const override { return 8; }
};

void *volatile kept[10000];
size_t keeps;

template <typename Made> void make(int count)
{
    for (int i = 0; i < count; i++)
        kept[keeps++] = new Made;
}

void make_arrays(int count)
{
    for (int i = 0; i < count; i++)
        kept[keeps++] = new zoo::Dog[static_cast<size_t>(5 + i)];
}

void free_dogs(int count)
{
    zoo::Dog *dogs[64];
    for (int i = 0; i < count; i++)
        kept[i] = dogs[i] = new zoo::Dog;
    for (int i = 0; i < count; i++)
        delete dogs[i];
}

std::map<long, long> map;
std::set<int> set;
std::list<long> list;
std::unordered_map<std::string, long> hashed;
std::unordered_map<long, long> numbered;
std::shared_ptr<zoo::Plain> shared[200];
std::string strings[300];
std::vector<zoo::Dog> vectors[30], large[5];
char *volatile pools[12];
long *volatile numbers[100];

void fill_containers()
{
    for (long i = 0; i < 1000; i++)
        map[i * 7919 % 1000] = i;
    for (int i = 0; i < 500; i++)
        set.insert(i);
    for (long i = 0; i < 800; i++)
        list.push_front(i);
    for (long i = 0; i < 400; i++)
        hashed[std::to_string(i * i)] = i;
    for (long i = 0; i < 100; i++)
        hashed["the number of a longer key is " + std::to_string(i)] = i;
    for (long i = 0; i < 100; i++)
        numbered[i] = i;
    for (auto &pointer : shared)
        pointer = std::make_shared<zoo::Plain>();
    for (auto &string : strings)
        string = "a text that does not fit into the \xc3\xb6" "bject itself";
    for (auto &vector : vectors)
        vector.resize(4);
    for (auto &vector : large)
        vector.resize(1000);
}

// Memory that an allocator of the program's own divides: two dogs, a duck, two dogs ...
void fill_pools()
{
    const size_t room = 64;
    static_assert(sizeof(zoo::Dog) <= room && sizeof(zoo::Duck) <= room, "they fit");
    for (auto &pool : pools) {
        char *made = static_cast<char *>(malloc(100 * room));
        for (size_t i = 0; i < 100; i++)
            if (i % 3 < 2)
                new (made + i * room) zoo::Dog;
            else
                new (made + i * room) zoo::Duck;
        pool = made;
    }
}

// What is none of these, though its words are as small or as large.
void make_numbers()
{
    long n = 0;
    for (auto &array : numbers) {
        long *made = new long[6 + n % 5];
        for (long i = 0; i < 6 + n % 5; i++)
            made[i] = i == 0 ? n % 2 : reinterpret_cast<long>(made) + 64 * i;
        array = made;
        n++;
    }
}

void say(const char *text)
{
    size_t done = 0, length = strlen(text);
    while (done < length) {
        ssize_t written = write(STDOUT_FILENO, text + done, length - done);
        if (written <= 0)
            _exit(1);
        done += static_cast<size_t>(written);
    }
}

// Names of types are in no page that it has, as in a program that has run for long.
void drop_names()
{
#ifdef __GXX_RTTI
    uintptr_t page = reinterpret_cast<uintptr_t>(typeid(zoo::Dog).name()) & ~uintptr_t{4095};
    madvise(reinterpret_cast<void *>(page), 4096, MADV_DONTNEED);
#endif
}

} // namespace

int main()
{
    make<zoo::Dog>(3000);
    make<zoo::Cage<int>>(500);
    make<zoo::Cage<std::pair<long, zoo::Dog>>>(400);
    make<zoo::Duck>(700);
    make<zoo::Bottom>(600);
    make<Hidden>(250);
    make<zoo::Plain>(100);
    make_arrays(40);
    free_dogs(50);
    fill_containers();
    fill_pools();
    make_numbers();
    char text[] =
        "{\"zoo::Dog\": 3000, \"zoo::Cage<int>\": 500,"
        " \"zoo::Cage<std::pair<long, zoo::Dog> >\": 400, \"zoo::Duck\": 700,"
        " \"zoo::Bottom\": 600, \"(anonymous namespace)::Hidden\": 250, \"zoo::Dog[]\": 75,"
        " \"begins with zoo::Dog\": 12,"
        " \"shared\": 200, \"tree\": 1500, \"list\": 800, \"hashed\": 500,"
        " \"text\": 400}\nready\n";
    drop_names();
    say(text);
    for (;;)
        pause();
}
