# What `make install` puts where. DuckDB and ONNX Runtime lie in a folder of their own beside the
# shared library, which finds them by its run path; nobody else meets them.
set(DF_PRIVATE_LIBDIR ${CMAKE_INSTALL_LIBDIR}/densefusion)

add_library(densefusion-shared SHARED $<TARGET_OBJECTS:objects>)
target_link_libraries(densefusion-shared PRIVATE ${DF_LIBRARIES})
target_link_options(densefusion-shared PRIVATE
                    -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/densefusion.map)
set_target_properties(densefusion-shared PROPERTIES
                      OUTPUT_NAME densefusion VERSION ${PROJECT_VERSION}
                      SOVERSION ${PROJECT_VERSION_MAJOR} INSTALL_RPATH "$ORIGIN/densefusion"
                      LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/densefusion.map)
file(RELATIVE_PATH DF_FROM_BIN ${CMAKE_INSTALL_FULL_BINDIR}
     ${CMAKE_INSTALL_PREFIX}/${DF_PRIVATE_LIBDIR})
set_target_properties(densefusion-cli PROPERTIES INSTALL_RPATH "$ORIGIN/${DF_FROM_BIN}")

configure_file(cmake/densefusion.pc.in densefusion.pc @ONLY)
add_custom_command(OUTPUT densefusion.1 COMMAND densefusion-cli man > densefusion.1 VERBATIM)
add_custom_target(man ALL DEPENDS densefusion.1)

install(TARGETS densefusion-cli densefusion-shared)
install(FILES include/densefusion.h TYPE INCLUDE)
install(FILES ${DUCKDB_LIBRARY} DESTINATION ${DF_PRIVATE_LIBDIR})
get_filename_component(ONNX_FILE ${ONNX_LIBRARY} REALPATH)
install(FILES ${ONNX_FILE} DESTINATION ${DF_PRIVATE_LIBDIR} RENAME libonnxruntime.so.1)
# There after `make tokenizer` and `make llama`.
install(FILES ${DF_DEPS}/lib/libdf_tokenizer.so DESTINATION ${DF_PRIVATE_LIBDIR} OPTIONAL)
install(FILES ${DF_DEPS}/lib/libdf_llama.so DESTINATION ${DF_PRIVATE_LIBDIR} OPTIONAL)
install(FILES ${PROJECT_BINARY_DIR}/densefusion.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_BINARY_DIR}/densefusion.1
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY share/ DESTINATION ${CMAKE_INSTALL_DATADIR}/densefusion)
install(DIRECTORY ${DF_DEPS}/share/licenses DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
install(FILES LICENSE docs/LICENCES.md TYPE DOC)
