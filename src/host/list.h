/* The sources of the host's evidence, in the order --doctor tells them. Included as an X-macro
 * list. */
SOURCE(counters)
SOURCE(sockets)
SOURCE(owners)
SOURCE(cgroups)
SOURCE(command)
SOURCE(sysctls)
SOURCE(conntrack)
SOURCE(changes)
SOURCE(pressure)
