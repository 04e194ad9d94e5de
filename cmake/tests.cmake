# Every test that ctest runs. Included by CMakeLists.txt.

# ---- unit tests: cmocka, one program a file ----
file(GLOB UNIT_TESTS CONFIGURE_DEPENDS tests/unit/test_*.c)
foreach(source ${UNIT_TESTS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE src)
  target_link_libraries(${name} densefusion ${CMOCKA_LIBRARY})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300
    ENVIRONMENT "DF_SOURCE_DIR=${PROJECT_SOURCE_DIR}")
endforeach()

# It makes the disk fail, and time pass.
target_link_options(test_journal PRIVATE
                    -Wl,--wrap=fdatasync,--wrap=write,--wrap=pread,--wrap=clock_gettime)

# What users type and what they get: tests/golden. `golden-update` rewrites the expected output.
if(CLI_SOURCES)
  file(GLOB GOLDEN_TESTS CONFIGURE_DEPENDS tests/golden/*.sh)
  set(GOLDEN_UPDATE)
  foreach(script ${GOLDEN_TESTS})
    get_filename_component(name ${script} NAME_WE)
    set(GOLDEN_RUN ${PROJECT_SOURCE_DIR}/tests/golden/run ${name} $<TARGET_FILE:densefusion-cli>)
    add_test(NAME golden_${name} COMMAND ${GOLDEN_RUN})
    set_tests_properties(golden_${name} PROPERTIES TIMEOUT 300)
    list(APPEND GOLDEN_UPDATE COMMAND ${GOLDEN_RUN} update)
  endforeach()
  add_custom_target(golden-update ${GOLDEN_UPDATE} DEPENDS densefusion-cli VERBATIM)
endif()

# ---- fuzz targets: replay of the committed corpora; with -DDF_FUZZ=ON and clang, fuzzers ----
file(GLOB FUZZ_TARGETS CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(source ${FUZZ_TARGETS})
  get_filename_component(name ${source} NAME_WE)
  string(REPLACE fuzz_ "" corpus ${name})
  add_executable(${name} ${source} tests/fuzz/memory_file.c tests/fuzz/own_folder.c)
  target_include_directories(${name} PRIVATE src)
  target_link_libraries(${name} densefusion)
  if(DF_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE tests/fuzz/replay.c)
    add_test(NAME ${name} COMMAND ${name} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${corpus})
    set_tests_properties(${name} PROPERTIES TIMEOUT 120)
  endif()
endforeach()

# The defaults on real photographs: which near-duplicates go.
if(CLI_SOURCES AND EXISTS ${PROJECT_SOURCE_DIR}/share/models/efficientnet-lite2.onnx)
  add_test(NAME curation_samples
           COMMAND ${PROJECT_SOURCE_DIR}/tests/curation/samples $<TARGET_FILE:densefusion-cli>
           ${PROJECT_SOURCE_DIR}/samples)
  set_tests_properties(curation_samples PROPERTIES TIMEOUT 300)
endif()

# The commands of the tutorial, in order, and what they print.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND AND CLI_SOURCES AND EXISTS ${PROJECT_SOURCE_DIR}/share/models/nanodet.onnx)
  add_test(NAME tutorial
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/tutorial/test_tutorial.py)
  set_tests_properties(tutorial PROPERTIES TIMEOUT 300
    ENVIRONMENT "DF_BINARY=$<TARGET_FILE:densefusion-cli>;PYTHONDONTWRITEBYTECODE=1")
endif()

# What evidence is worth: precision and recall on pictures whose content people wrote down, with
# floors.
if(Python3_FOUND)
  add_test(NAME truth_score
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/truth/test_score.py)
  set_tests_properties(truth_score PROPERTIES TIMEOUT 60 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()
if(Python3_FOUND AND CLI_SOURCES AND EXISTS ${DF_DEPS}/truth/darknet-dog.jpg
   AND EXISTS ${PROJECT_SOURCE_DIR}/share/models/nanodet.onnx)
  add_test(NAME truth COMMAND ${PROJECT_SOURCE_DIR}/tests/truth/run $<TARGET_FILE:densefusion-cli>
           ${PROJECT_BINARY_DIR}/truth)
  set_tests_properties(truth PROPERTIES TIMEOUT 1200)
endif()

# Interrupted in every way, a run ends with the same bytes: tests/resume, over a few samples and a
# file that is none.
option(DF_RESUME_TESTS "run the tests that interrupt runs; they take minutes" OFF)
if(CLI_SOURCES AND DF_RESUME_TESTS)
  set(RESUME_INPUT ${PROJECT_BINARY_DIR}/resume-input)
  file(GLOB RESUME_FILES samples/aitzgorri.* samples/budgerigar.* samples/clock.* samples/coffee.*
       samples/river-market-poster.* samples/two-dogs*)
  file(COPY ${RESUME_FILES} DESTINATION ${RESUME_INPUT})
  file(WRITE ${RESUME_INPUT}/broken.jpg "no image\n")
  set(RESUME_OPTIONS --ingest.part_rows=3)
  if(NOT EXISTS ${PROJECT_SOURCE_DIR}/share/models/nanodet.onnx)
    list(APPEND RESUME_OPTIONS --skip embed,cluster,dedup,select,tag,detect,read)
  endif()
  foreach(test kill stop full_disk parts)
    set(count)
    if(test STREQUAL kill)
      set(count 5)
    endif()
    add_test(NAME resume_${test}
             COMMAND ${PROJECT_SOURCE_DIR}/tests/resume/${test} $<TARGET_FILE:densefusion-cli>
             ${RESUME_INPUT} ${count} ${RESUME_OPTIONS})
    set_tests_properties(resume_${test} PROPERTIES TIMEOUT 900 RUN_SERIAL TRUE)
  endforeach()
endif()

# ---- the report's page in real Chromium, on what test_report made ----
find_program(CHROMIUM NAMES chromium chromium-browser google-chrome)
if(Python3_FOUND AND CHROMIUM)
  add_test(NAME browser
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/browser/test_page.py
                   report.test/report
           report2.test/report)
  set_tests_properties(test_report PROPERTIES FIXTURES_SETUP report)
  set_tests_properties(browser PROPERTIES FIXTURES_REQUIRED report TIMEOUT 300
                       SKIP_RETURN_CODE 77 RUN_SERIAL ON
                       ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()

# ---- the layers of src/ ----
if(Python3_FOUND)
  add_test(NAME layout
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/layout/test_layout.py)
  add_test(NAME width COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/layout/test_width.py)
  add_test(NAME links COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/layout/test_links.py)
  add_test(NAME comments
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/layout/test_comments.py)
  set_tests_properties(layout width links comments PROPERTIES TIMEOUT 60
    ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
  if(CLI_SOURCES)
    add_test(NAME format
             COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/layout/test_format.py)
    set_tests_properties(format PROPERTIES TIMEOUT 60
      ENVIRONMENT "DF_BINARY=$<TARGET_FILE:densefusion-cli>;PYTHONDONTWRITEBYTECODE=1")
  endif()
endif()

# ---- what the program may write and delete ----
if(Python3_FOUND AND CLI_SOURCES)
  add_test(NAME output
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/output/test_output.py)
  add_test(NAME together
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/output/test_together.py)
  add_test(NAME parts COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/scale/test_parts.py)
  set_tests_properties(output together parts PROPERTIES TIMEOUT 600
    ENVIRONMENT "DF_BINARY=$<TARGET_FILE:densefusion-cli>;PYTHONDONTWRITEBYTECODE=1")
endif()

# ---- the openai engine against a server on loopback that misbehaves ----
if(Python3_FOUND AND CLI_SOURCES)
  add_test(NAME openai_server
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/server/test_openai.py)
  set_tests_properties(openai_server PROPERTIES TIMEOUT 300 RUN_SERIAL TRUE
    ENVIRONMENT "DF_BINARY=$<TARGET_FILE:densefusion-cli>;PYTHONDONTWRITEBYTECODE=1")
  add_test(NAME openai_again
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/server/test_again.py)
  add_test(NAME meta COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/server/test_meta.py)
  add_test(NAME batch COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/server/test_batch.py)
  add_test(NAME paid COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/server/test_paid.py)
  add_test(NAME secrets
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/server/test_secrets.py)
  set_tests_properties(openai_again meta batch paid secrets PROPERTIES TIMEOUT 600
    ENVIRONMENT "DF_BINARY=$<TARGET_FILE:densefusion-cli>;PYTHONDONTWRITEBYTECODE=1")
endif()

# ---- system calls that fail, inputs that are away ----
# A shim before the C library, which sanitizers do not stand.
if(Python3_FOUND AND CLI_SOURCES AND NOT DF_SANITIZE AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  add_library(fault_shim MODULE tests/faults/shim.c)
  target_link_libraries(fault_shim PRIVATE ${CMAKE_DL_LIBS})
  foreach(kind Away AwayList Errors Momentary Known Memory Pictures)
    add_test(NAME faults_${kind}
             COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/faults/test_faults.py ${kind})
    set(FAULTS DF_BINARY=$<TARGET_FILE:densefusion-cli> DF_FAULT_SHIM=$<TARGET_FILE:fault_shim>
               PYTHONDONTWRITEBYTECODE=1)
    set_tests_properties(faults_${kind} PROPERTIES TIMEOUT 300 ENVIRONMENT "${FAULTS}")
  endforeach()
endif()

# Each call fails; the power goes before each call that changes the disk. A sample: DF_TORTURE=all
# takes hours.
if(Python3_FOUND AND CLI_SOURCES AND NOT DF_SANITIZE AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  add_library(nth_shim MODULE tests/faults/nth.c)
  add_library(power_cut_shim MODULE tests/faults/power_cut.c)
  target_link_libraries(nth_shim PRIVATE ${CMAKE_DL_LIBS})
  target_link_libraries(power_cut_shim PRIVATE ${CMAKE_DL_LIBS})
  set(TORTURE "DF_BINARY=$<TARGET_FILE:densefusion-cli>;DF_NTH_SHIM=$<TARGET_FILE:nth_shim>"
      "DF_CUT_SHIM=$<TARGET_FILE:power_cut_shim>;PYTHONDONTWRITEBYTECODE=1")
  set(TORTURE_TEST Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/faults/test_torture.py)
  add_test(NAME torture_memory COMMAND ${TORTURE_TEST} malloc memory library)
  add_test(NAME torture_calls COMMAND ${TORTURE_TEST}
           open read write sync rename stat mmap close readdir change)
  add_test(NAME torture_power_cut COMMAND Python3::Interpreter
           ${PROJECT_SOURCE_DIR}/tests/faults/test_power_cut.py)
  set_tests_properties(torture_memory torture_calls torture_power_cut PROPERTIES
                       TIMEOUT 900 ENVIRONMENT "${TORTURE}")
endif()

# ---- the llama engine, beside llama.cpp's own server ----
if(EXISTS ${DF_DEPS}/venv/bin/python AND EXISTS ${DF_DEPS}/bin/llama-server AND CLI_SOURCES)
  add_test(NAME llama
           COMMAND ${DF_DEPS}/venv/bin/python ${PROJECT_SOURCE_DIR}/tests/llama/test_llama.py)
  set(LLAMA DF_BINARY=$<TARGET_FILE:densefusion-cli>
            DF_LLAMA_SERVER=${DF_DEPS}/bin/llama-server PYTHONDONTWRITEBYTECODE=1)
  set_tests_properties(llama PROPERTIES TIMEOUT 600 ENVIRONMENT "${LLAMA}")
endif()

# ---- 400 records through storms, cuts and kills ----
if(Python3_FOUND AND CLI_SOURCES)
  add_test(NAME openai_chaos
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/server/test_chaos.py)
  set_tests_properties(openai_chaos PROPERTIES TIMEOUT 300
    ENVIRONMENT "DF_BINARY=$<TARGET_FILE:densefusion-cli>;PYTHONDONTWRITEBYTECODE=1")
endif()

# ---- models brought from paths, a server that misbehaves, and packages ----
if(Python3_FOUND AND CLI_SOURCES)
  add_test(NAME models_install
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/server/test_models_install.py)
  set_tests_properties(models_install PROPERTIES TIMEOUT 300
    ENVIRONMENT "DF_BINARY=$<TARGET_FILE:densefusion-cli>;PYTHONDONTWRITEBYTECODE=1")
endif()

# ---- what is no regular file, and folders with names that mean something to DuckDB ----
if(Python3_FOUND AND CLI_SOURCES)
  add_test(NAME special_files
           COMMAND Python3::Interpreter ${PROJECT_SOURCE_DIR}/tests/server/test_special_files.py)
  set(SPECIAL_FILES "DF_BINARY=$<TARGET_FILE:densefusion-cli>;PYTHONDONTWRITEBYTECODE=1")
  if(NOT DF_SANITIZE)                        # a sanitizer wants to be loaded first
    add_library(refuse_cgroup MODULE tests/server/refuse_cgroup.c)
    list(APPEND SPECIAL_FILES "DF_REFUSE_CGROUP=$<TARGET_FILE:refuse_cgroup>")
  endif()
  set_tests_properties(special_files PROPERTIES TIMEOUT 300 ENVIRONMENT "${SPECIAL_FILES}")
endif()
if(EXISTS ${DF_DEPS}/venv/bin/img2dataset AND CLI_SOURCES)          # it brings pyarrow
  add_test(NAME paths
           COMMAND ${DF_DEPS}/venv/bin/python ${PROJECT_SOURCE_DIR}/tests/server/test_paths.py)
  set_tests_properties(paths PROPERTIES TIMEOUT 300
    ENVIRONMENT "DF_BINARY=$<TARGET_FILE:densefusion-cli>;PYTHONDONTWRITEBYTECODE=1")
endif()

# ---- a list of URLs to a dataset, fetched by img2dataset from a server on loopback ----
if(EXISTS ${DF_DEPS}/venv/bin/img2dataset AND CLI_SOURCES)
  add_test(NAME img2dataset
           COMMAND ${DF_DEPS}/venv/bin/python
                   ${PROJECT_SOURCE_DIR}/tests/server/test_img2dataset.py)
  set_tests_properties(img2dataset PROPERTIES TIMEOUT 300 RUN_SERIAL TRUE
    ENVIRONMENT "DF_BINARY=$<TARGET_FILE:densefusion-cli>;PYTHONDONTWRITEBYTECODE=1")
endif()

# ---- set-up against a broken registry ----
add_test(NAME setup COMMAND ${PROJECT_SOURCE_DIR}/tests/setup/test_setup.sh)
set_tests_properties(setup PROPERTIES TIMEOUT 120)

# ---- what `make install` gives ----
add_test(NAME install
         COMMAND ${PROJECT_SOURCE_DIR}/tests/setup/test_install.sh
                 ${PROJECT_BINARY_DIR}/install-test)
set_tests_properties(install PROPERTIES TIMEOUT 600)

# ---- the converted models on known photographs ----
if(EXISTS ${DF_DEPS}/stamp-test)
  add_test(NAME convert
           COMMAND ${DF_DEPS}/venv/bin/python
                   ${PROJECT_SOURCE_DIR}/tests/oracle/convert/test_convert.py)
  set_tests_properties(convert PROPERTIES TIMEOUT 120 ENVIRONMENT PYTHONDONTWRITEBYTECODE=1)
endif()
