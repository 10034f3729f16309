package demo

var firstNames = []string{
	"Ada", "Adam", "Aisha", "Alma", "Amir", "Anouk", "Anton", "Bea", "Boris", "Carla", "Chiara", "Clara", "Daan", "Dara",
	"Edith", "Elif", "Emil", "Ewa", "Farah", "Felix", "Fiona", "Goran", "Greta", "Hana", "Hugo", "Ida", "Ines", "Ivan",
	"Jonas", "Julia", "Kaya", "Kofi", "Lars", "Leila", "Lena", "Linus", "Luca", "Maeve", "Malik", "Mara", "Matteo", "Mina",
	"Nadia", "Nils", "Noor", "Olga", "Oskar", "Pablo", "Paula", "Petra", "Quentin", "Rafael", "Rosa", "Ruben", "Samira",
	"Sofia", "Stefan", "Tara", "Teo", "Ulla", "Vera", "Viktor", "Yara", "Zoe",
}

var lastNames = []string{
	"Abbott", "Adler", "Almeida", "Andersen", "Bauer", "Becker", "Bianchi", "Bosch", "Brandt", "Carver", "Castro", "Conti",
	"Cooper", "Costa", "Dahl", "Delgado", "Dubois", "Eklund", "Fabre", "Ferrari", "Fischer", "Fontaine", "Garcia", "Greco",
	"Haas", "Hansen", "Hartmann", "Horvat", "Ivanova", "Jansen", "Jensen", "Kaya", "Keller", "Koch", "Kovac", "Kowalski",
	"Larsen", "Laurent", "Lopes", "Lund", "Marino", "Mason", "Meyer", "Moreau", "Nowak", "Novak", "Olsen", "Peeters",
	"Potter", "Ricci", "Romero", "Santos", "Schneider", "Silva", "Smit", "Sorensen", "Tanner", "Turner", "Vidal", "Visser",
	"Wagner", "Weaver", "Winter", "Zimmermann",
}

// thing is what can be made in several materials, and what it may cost, in
// whole units of the currency.
type thing struct {
	name      string
	low, high int64
}

// craft is a family of products.
type craft struct {
	adjectives, materials []string
	things                []thing
	// making and care are sentences of a description.
	making, care []string
}

var crafts = []craft{
	{
		adjectives: []string{"Undyed", "Hand-woven", "Striped", "Felted", "Soft", "Washed", "Checked", "Heavy", "Quilted", "Naturally dyed"},
		materials:  []string{"wool", "linen", "cotton", "hemp", "alpaca", "merino"},
		things: []thing{
			{"blanket", 59, 189}, {"scarf", 25, 79}, {"cushion", 19, 59}, {"throw", 45, 129}, {"tea towel", 8, 19},
			{"apron", 24, 59}, {"curtain", 39, 119}, {"tote bag", 14, 39}, {"bath mat", 19, 45},
		},
		making: []string{"Woven in a small mill from yarn spun next door.", "Every piece is cut and hemmed by hand.", "Dense enough to last, light enough to carry."},
		care:   []string{"Wash at 30 degrees with a mild soap and dry it flat.", "Air it rather than wash it.", "Gets softer with each wash."},
	},
	{
		adjectives: []string{"Oiled", "Solid", "Turned", "Carved", "Sanded", "Waxed", "Bevelled", "Rounded", "Small", "Tall"},
		materials:  []string{"oak", "ash", "walnut", "beech", "cherry", "maple", "pine"},
		things: []thing{
			{"stool", 69, 189}, {"bowl", 24, 89}, {"chopping board", 19, 69}, {"shelf", 49, 159}, {"tray", 29, 79},
			{"coat rack", 39, 119}, {"rolling pin", 12, 29}, {"picture frame", 15, 55}, {"side table", 119, 349},
		},
		making: []string{"Cut from one board, so that the grain runs through.", "Joined without a single screw.", "Finished with three coats of linseed oil."},
		care:   []string{"Wipe it with a damp cloth and oil it twice a year.", "Keep it away from the dishwasher.", "Small marks can be sanded out."},
	},
	{
		adjectives: []string{"Glazed", "Speckled", "Hand-thrown", "Matt", "Ribbed", "White", "Blue-rimmed", "Wide", "Simple"},
		materials:  []string{"stoneware", "porcelain", "earthenware", "terracotta"},
		things: []thing{
			{"mug", 12, 29}, {"plate", 14, 39}, {"teapot", 39, 99}, {"vase", 24, 89}, {"jug", 22, 59}, {"butter dish", 19, 45},
			{"flower pot", 9, 49}, {"egg cup", 6, 15}, {"salad bowl", 29, 79},
		},
		making: []string{"Thrown on the wheel and fired twice.", "No two pieces have quite the same glaze.", "Fired at 1240 degrees, which makes it hard and dense."},
		care:   []string{"Goes into the dishwasher and the oven.", "Best washed by hand.", "Safe for the microwave."},
	},
	{
		adjectives: []string{"Brushed", "Forged", "Polished", "Blackened", "Hammered", "Slim", "Sturdy", "Plain"},
		materials:  []string{"steel", "brass", "copper", "iron", "aluminium"},
		things: []thing{
			{"kettle", 39, 129}, {"candle holder", 15, 59}, {"hook", 5, 19}, {"desk lamp", 59, 189}, {"watering can", 24, 69},
			{"bread bin", 35, 89}, {"bottle opener", 7, 19}, {"door handle", 19, 65}, {"frying pan", 39, 119},
		},
		making: []string{"Bent, welded and ground in one workshop.", "Made to be repaired: every screw is a standard one.", "Gets a patina of its own with the years."},
		care:   []string{"Dry it after use.", "Polish it with a soft cloth when it dulls.", "A drop of oil keeps rust away."},
	},
	{
		adjectives: []string{"Hand-stitched", "Padded", "Dark", "Embossed", "Slim", "Lined", "Wide", "Weathered"},
		materials:  []string{"leather", "suede", "cork", "canvas", "waxed cotton"},
		things: []thing{
			{"wallet", 29, 89}, {"belt", 29, 79}, {"satchel", 89, 249}, {"key ring", 7, 19}, {"pencil case", 15, 39},
			{"laptop sleeve", 39, 99}, {"notebook cover", 25, 65}, {"camera strap", 29, 69}, {"backpack", 99, 279},
		},
		making: []string{"Sewn with waxed thread, eight stitches to the inch.", "Cut from one hide and numbered.", "The edges are dyed and burnished by hand."},
		care:   []string{"Feed it with balm once a year.", "Keep it dry, and it will outlive its owner.", "Brush it when it is dusty."},
	},
}
