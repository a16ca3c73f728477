# ThreadSanitizer over Debian's libraries, which are compiled without it. Included for GONGHUI_SANITIZE=thread, before
# any target; tests/sanitize.sh runs what is built.

# Headers of protobuf and abseil give their types another layout when they see the sanitizer, and the libraries did not
# see it. The standard library's headers must.
add_compile_options(-U__SANITIZE_THREAD__ -D_GLIBCXX_TSAN=1)

# The locks of abseil are told to the sanitizer by tsan_mutex.cc: every executable's calls go there.
add_library(tsan_mutex STATIC ${CMAKE_CURRENT_LIST_DIR}/tsan_mutex.cc)
target_link_libraries(tsan_mutex PUBLIC absl::synchronization)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/tsan_mutex.cc wrapped REGEX "\"_ZN")
list(TRANSFORM wrapped REPLACE ".*\"(_ZN[^\"]*)\".*" "-Wl,--wrap=\\1")
add_link_options(${wrapped})
link_libraries(tsan_mutex)

# Races on purpose: what the sanitizer must find, and must not.
add_executable(planted_race ${CMAKE_CURRENT_LIST_DIR}/planted_race.cc)
target_link_libraries(planted_race PRIVATE gRPC::grpc++ absl::synchronization)
