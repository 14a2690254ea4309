"""What ``mrbench doctor`` looks at: the software, the machine, the data, the results and the plugins."""
