install:
	m4 -DNAME=world -P /dev/null > /dev/null
	echo "m4_define(X,1)X hello" | m4 -P > /usr/local/share/greeting
