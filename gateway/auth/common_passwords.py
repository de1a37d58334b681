"""Passwords of eight characters or more that are tried first: they lead every list of leaked ones."""

_TRIED_FIRST = """
00000000 0123456789 0987654321 10203040 11111111 111111111 1111111111 11223344 1122334455 112233445566
12121212 12312312 123123123 123123123a 12341234 1234512345 12345678 123456789 1234567890 1234567891
12345678910 123456789a 123456789q 12345678a 12345678q 1234567a 1234abcd 1234qwer 123654789 123qwe123
12qwaszx 13579246 1357924680 147258369 147852369 14789632 159357456 1a2b3c4d 1q2w3e4r 1q2w3e4r5t
1q2w3e4r5t6y 1qaz1qaz 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 20202020 21212121 22222222 23232323 25802580 31415926
33333333 3edc4rfv 44444444 4rfv5tgb 55555555 66666666 69696969 741852963 77777777 78945612 789456123
7894561230 87654321 88888888 963852741 98765432 987654321 9876543210 99999999 a1234567 a12345678 a123456789
a1b2c3d4 a1s2d3f4 aa123456 aaaaaaaa abc12345 abcd1234 abcdefg1 abcdefgh access14 admin123 admin1234
admin12345 adminadmin administrator alejandra alejandro alexander alexandra america1 anderson anthony1
arsenal1 asd123asd asdasdasd asdf1234 asdfasdf asdfghjk asdfghjkl asdfjkl1 asdqwe123 atletico attitude
babygirl babygirl1 badminton barcelona baseball baseball1 basketball beautiful benjamin blessed1 blink182
bond0070 bulldog1 butterfly calvin123 cameron1 carolina caroline champion changeit changeme changeme1
changeme123 charlie1 charlotte cheese123 chelsea1 chocolate christian christopher cocacola computer
computer1 consumer contrasena contraseña cowboys1 cristina danielle default1 destiny1 diamond1 dolphins
dragon123 dragonball dragonfly einstein elephant elizabeth estrella everton1 evolution facebook fernando
ferrari1 fireball flower123 football football1 fordf150 forever1 francisco freedom1 friends1 fuckyou1
garfield godzilla goldfish goodluck google123 guillermo guitar123 hannah123 happy123 hardcore hello123
helloworld hercules hola1234 holahola hongkong hotmail1 iceman123 iloveyou iloveyou1 iloveyou2 infinity
internet internet1 isabella jackson1 jasmine1 jennifer jennifer1 jessica1 jonathan jordan123 jordan23
justin123 katherine kimberly kingking kristina lalalala laura123 leonardo letmein1 letmein123 lifehack
liverpool liverpool1 lovelove loveme123 loveyou1 madrid123 magic123 manchester manutd123 margarita maria123
marlboro marseille martinez master123 maverick mercedes metallica michael1 michelle microsoft midnight
monkey123 motorola mustang1 mypassword naruto123 nicholas nicole123 nintendo nirvana1 november october1
p4ssw0rd p@ssw0rd p@ssword pa$$w0rd pa55word panasonic paradise passport passw0rd passw0rd1 password
password! password0 password01 password1 password1! password11 password12 password123 password1234 password2
password2024 password2025 password3 password99 patricia peterpan phoenix1 pokemon1 pokemon123 portugal
precious princesa princess princess1 proverbs q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 qazwsx12 qazwsx123 qazwsxedc
qazxswedc qqqqqqqq qwaszx12 qwe123qwe qweasd123 qweasdzx qweasdzxc qweqweqwe qwer1234 qwert123 qwerty11
qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyui qwertyuiop rainbow1 realmadrid remember
roberto1 robinson rockstar router123 sakura123 samantha samsung1 samsung123 santiago scorpion scotland
sebastian secret12 secret123 september sergio123 shadow12 shadow123 simpsons slipknot snowball soccer12
softball someone1 spiderman spiderman1 startrek starwars starwars1 steelers stephanie strawberry summer123
sunflower sunshine sunshine1 superman superman1 superstar support1 swordfish teamo123 teiubesc telefonica
test1234 test12345 testtest thailand thomas123 titanic1 tottenham trinity1 trustno1 usuario1 valencia
vanessa1 veronica victoria vincent1 vodafone volleyball webmaster welcome1 welcome123 westside whatever
whatever1 william1 winston1 wordpass www12345 xxxxxxxx yamaha123 yankees1 yellow123 yosemite zaq12wsx
zaq1zaq1 zaqwsx123 zxcv1234 zxcvbn123 zxcvbnm1 zxcvbnm123 zxczxczxc
"""

COMMON = frozenset(_TRIED_FIRST.split())
